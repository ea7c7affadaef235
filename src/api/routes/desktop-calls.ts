import type { FastifyReply } from 'fastify';
import { DesktopActed, DesktopInfo, DesktopSize, type WindowInfo } from '../../protocol/desktop.ts';
import { accepts } from '../accepts.ts';
import {
  ActRequest,
  Launched,
  LaunchRequest,
  type Picture,
  PictureQuery,
  pictureHeaders,
  pictureWanted,
  TakenPicture,
} from '../desktop/calls.ts';
import { checkHands } from '../desktop/check-hands.ts';
import { clientEnv, findLive, LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const tag = 'Sandboxes' as const;
const errors = [...LIVE_ERRORS, 'DESKTOP_FAILED', 'INVALID_ARGUMENT'] as const;
const INFO = { running: true, width: 1_280, height: 800, display: ':0', starts: 1 };
const PICTURE = {
  frame: { region: { x: 0, y: 0, width: 1_280, height: 800 }, width: 640, height: 400 },
  screen: { width: 1_280, height: 800 },
  pointer: { x: 640, y: 400 },
  format: 'png',
  bytes: 12_044,
} as const;
const WINDOW: WindowInfo = {
  ...{ window: 6_291_468, title: 'xterm', class: 'XTerm', pid: 512 },
  ...{ x: 100, y: 80, width: 484, height: 316 },
  ...{ focused: true, minimized: false, maximized: false },
};

/** The desktop of a live sandbox, by calls: pictures of it, and all that a hand can do. */
export function desktopCallsRoutes(app: App, api: Api): void {
  app.post(
    '/desktop/:id/start',
    {
      schema: { params: JobParams, querystring: NoQuery, body: DesktopSize, response: { 200: DesktopInfo } },
      config: {
        docs: {
          id: 'startDesktop',
          tag,
          summary: 'Start the desktop',
          description:
            'With this size. No need: whatever first looks at it starts it, with the size that the sandbox or job was asked for with. One that runs keeps its size.',
          answer: 'It runs.',
          example: INFO,
          bodies: { 'application/json': { schema: DesktopSize, example: { width: 1_280, height: 800 } } },
          errors: [...errors],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, request.params.id, signal);
      return sandbox.desktop.start({ size: request.body, signal });
    },
  );
  app.get(
    '/desktop/:id/screenshot',
    {
      schema: { params: JobParams, querystring: PictureQuery, response: { 200: TakenPicture } },
      config: {
        docs: {
          id: 'takeScreenshot',
          tag,
          summary: 'A picture of the desktop',
          description:
            'Of the whole screen, or of the region that x, y, width and height name; made smaller by max_width, max_height or scale. `frame` says what it shows: give it to `POST /desktop/{id}/act`, and coordinates are pixels of this picture. As an image, X-Frame, X-Screen and X-Pointer carry the same; with `Accept: application/json` the image is in base64.',
          answer: 'The picture.',
          example: { ...PICTURE, image_base64: 'iVBORw0KGgo…' },
          answers: {
            200: [
              { description: 'The picture.', type: 'image/png', form: 'binary' },
              { description: 'The picture.', type: 'image/jpeg', form: 'binary' },
            ],
          },
          errors: [...errors, 'NOT_ACCEPTABLE'],
        },
      },
    },
    async (request, reply) => {
      const { format } = request.query;
      const type = accepts(request, [`image/${format}`, 'application/json']);
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, request.params.id, signal);
      const taken = await sandbox.desktop.screenshot(pictureWanted(request.query), { signal });
      const { image, ...picture } = taken;
      reply.header('cache-control', 'no-store');
      if (type === 'application/json') return { ...picture, image_base64: image.toString('base64') };
      return sendPicture(reply, picture, image);
    },
  );
  app.post(
    '/desktop/:id/act',
    {
      schema: { params: JobParams, querystring: NoQuery, body: ActRequest, response: { 200: DesktopActed } },
      config: {
        docs: {
          id: 'actOnDesktop',
          tag,
          summary: 'Use mouse, keyboard, windows and clipboard',
          description:
            'Actions in order, up to the first that fails. Coordinates are pixels of the screen, or of the picture whose `frame` is given. `wait_change` waits until the picture has changed since the last action, `wait_still` until it rests. While a person has control, only with the token of that control.',
          answer: 'One result for each action.',
          example: { results: [{}, { happened: true }, { windows: [WINDOW] }] },
          bodies: {
            'application/json': {
              schema: ActRequest,
              example: {
                actions: [
                  { action: 'click', x: 320, y: 200 },
                  { action: 'wait_still', timeout_ms: 2_000 },
                  { action: 'windows' },
                ],
                frame: PICTURE.frame,
              },
            },
          },
          errors: [...errors, 'WINDOW_NOT_FOUND', 'CONTROL_TAKEN'],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const { id } = request.params;
      const { actions, frame, control } = request.body;
      const sandbox = await liveSandbox(api, id, signal);
      await checkHands(api, id, control);
      request.raw.socket.setTimeout(0);
      return { results: await sandbox.desktop.act(actions, { signal, ...(frame && { frame }) }) };
    },
  );
  app.post(
    '/desktop/:id/launch',
    {
      schema: { params: JobParams, querystring: NoQuery, body: LaunchRequest, response: { 200: Launched } },
      config: {
        docs: {
          id: 'launchProgram',
          tag,
          summary: 'Start a program with a window',
          description:
            'Waits until it shows one, or ends. It goes on after the call, as a background process.',
          answer: 'The windows that have come; or how it ended, when it did so before.',
          example: { process_id: 'p7', pid: 512, windows: [WINDOW], ended: null },
          bodies: { 'application/json': { schema: LaunchRequest, example: { command: 'xterm' } } },
          errors: [...errors, 'PATH_NOT_FOUND', 'TOO_MANY_PROCESSES', 'CONTROL_TAKEN'],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const { id } = request.params;
      const { command, cwd, env, timeout_s, control } = request.body;
      const { job, sandbox } = await findLive(api, id, signal);
      await checkHands(api, id, control);
      request.raw.socket.setTimeout(0);
      const opened = await sandbox.desktop.open(
        {
          command,
          ...(cwd !== undefined && { cwd }),
          env: { ...(await clientEnv(api, job)), ...env },
          ...(timeout_s !== undefined && { timeoutMs: timeout_s * 1_000 }),
        },
        { signal },
      );
      const { process, windows, ended } = opened;
      return {
        process_id: process.id,
        pid: process.pid,
        windows,
        ended: ended && { exit_code: ended.exitCode, output: ended.output },
      };
    },
  );
}

function sendPicture(reply: FastifyReply, picture: Picture, image: Buffer): FastifyReply {
  return reply
    .headers(pictureHeaders(picture))
    .header('content-type', `image/${picture.format}`)
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(image);
}
