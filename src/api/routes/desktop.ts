import { z } from 'zod';
import { readControl, releaseControl, takeControl } from '../../store/desktop-control.ts';
import { checkAccess } from '../live/access.ts';
import { LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { sendApp } from '../pages/app-page.ts';
import { html } from '../pages/html.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const DEFAULT_TTL_S = 120;

const ControlRequest = z
  .strictObject({
    holder: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Who takes it, as the agent is told. Default: a viewer.'),
    ttl_s: z
      .int()
      .min(10)
      .max(3_600)
      .optional()
      .describe(`Seconds until it ends by itself; default ${DEFAULT_TTL_S}.`),
    token: z.string().max(100).optional().describe('Of who has it already: keeps it for ttl_s more.'),
  })
  .meta({ id: 'ControlRequest' });

const Held = { holder: z.string(), taken: z.iso.datetime(), expires: z.iso.datetime() };
const ControlGrant = z
  .object({ ...Held, token: z.string().describe('Opens the WebSocket with control, as ?control=.') })
  .meta({ id: 'ControlGrant' });
const ControlState = z
  .object({ control: z.object(Held).nullable().describe('Null while the agent has the desktop.') })
  .meta({ id: 'ControlState' });

const EXAMPLE = { holder: 'Ada', taken: '2026-11-23T13:00:00.000Z', expires: '2026-11-23T13:02:00.000Z' };

/** The page of a live desktop. Its WebSocket has the same address and is served by `upgrades.ts`. */
export function desktopRoute(app: App, api: Api): void {
  app.get(
    '/desktop/:id',
    {
      schema: {
        params: JobParams,
        querystring: z.object({
          ticket: z
            .string()
            .max(1_000)
            .optional()
            .describe('What POST /tickets gave, in place of an API key.'),
          control: z.string().max(100).optional().describe('What POST /desktop/:id/control gave.'),
        }),
      },
      config: {
        // The page says nothing of the job; what it asks for asks for a key or a ticket.
        open: true,
        docs: {
          id: 'openDesktop',
          tag: 'While it runs',
          summary: 'The live desktop: a page, or a WebSocket',
          description:
            'As a WebSocket: RFB 3.8 in binary messages, as noVNC speaks it. It only shows, whatever the client sends, unless `?control=` is the token of `POST /desktop/{id}/control`; when that ends, the connection is closed with 4001. The desktop starts when something first looks at it.',
          answers: {
            101: { description: 'The WebSocket.' },
            200: { description: 'The page.', type: 'text/html', form: 'text' },
          },
          errors: [...LIVE_ERRORS, 'DESKTOP_FAILED'],
        },
      },
    },
    async (request, reply) =>
      sendApp(api, reply, {
        title: 'Desktop',
        script: 'desktop.js',
        styles: [],
        assets: '../assets',
        bar: html`<h1><a href="../desktop">Desktops</a></h1><code class="id">${request.params.id}</code>
<span id="status" role="status">Loading</span><span class="space"></span>
<button id="clipboard-button" disabled>Clipboard</button><button id="full">Full screen</button>
<button id="control" class="primary" disabled>Take control</button>`,
        body: html`<div id="stage"><aside id="clipboard" hidden><label for="clipboard-text">The desktop’s clipboard</label>
<textarea id="clipboard-text" spellcheck="false"></textarea>
<button id="clipboard-send">Put it on the desktop</button></aside>
<main id="screen"></main></div>`,
      }),
  );
}

/** The list of live desktops, also what the port of desktops shows. */
export function desktopsRoute(app: App, api: Api): void {
  app.get('/desktop', { schema: { querystring: NoQuery }, config: { open: true } }, async (_request, reply) =>
    sendApp(api, reply, {
      title: 'Desktops',
      script: 'desktops.js',
      styles: [],
      assets: './assets',
      bar: html`<h1>Desktops</h1><span id="status" role="status">Loading</span>`,
      body: html`<main id="list"></main>`,
    }),
  );
}

/** Control of a desktop: one person at a time, for a while. */
export function desktopControlRoutes(app: App, api: Api): void {
  const tag = 'While it runs' as const;
  const url = '/desktop/:id/control';
  app.get(
    url,
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: ControlState } },
      config: {
        open: true,
        probe: true,
        docs: {
          id: 'getControl',
          tag,
          summary: 'Who has control of the desktop',
          answer: 'Who has it, and until when.',
          example: { control: EXAMPLE },
          headers: { 'X-Ticket': 'In place of an API key.' },
          errors: [...LIVE_ERRORS, 'UNAUTHORIZED', 'FORBIDDEN'],
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      checkAccess(api, request.raw, { id, scope: 'desktop' });
      await liveSandbox(api, id);
      return { control: await readControl(api.store, id) };
    },
  );
  app.post(
    url,
    {
      schema: {
        params: JobParams,
        querystring: NoQuery,
        body: ControlRequest,
        response: { 200: ControlGrant },
      },
      config: {
        open: true,
        docs: {
          id: 'takeControl',
          tag,
          summary: 'Take control of the desktop',
          description:
            'For one person at a time, until it is given back or expires; calling again with its token keeps it. The agent is told, and its own input to the desktop is refused meanwhile.',
          answer: 'Control, and the token that proves it.',
          example: { ...EXAMPLE, token: 'q3v1…' },
          headers: { 'X-Ticket': 'Of a ticket with `control`, in place of an API key.' },
          bodies: { 'application/json': { schema: ControlRequest, example: { holder: 'Ada' } } },
          errors: [...LIVE_ERRORS, 'CONTROL_TAKEN', 'UNAUTHORIZED', 'FORBIDDEN', 'INVALID_REQUEST'],
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      checkAccess(api, request.raw, { id, scope: 'desktop', control: true });
      await liveSandbox(api, id);
      const { holder = 'a viewer', ttl_s = DEFAULT_TTL_S, token } = request.body;
      reply.header('cache-control', 'no-store');
      return takeControl(api.store, { jobId: id, holder, ttlS: ttl_s, token });
    },
  );
  app.delete(
    url,
    {
      schema: {
        params: JobParams,
        querystring: z.strictObject({ token: z.string().min(1).max(100).describe('Of who has control.') }),
      },
      config: {
        open: true,
        docs: {
          id: 'releaseControl',
          tag,
          summary: 'Give control of the desktop back',
          description: 'The token is all that it takes. Giving back what one does not have is no error.',
          answers: { 204: { description: 'Whoever had this token has no control.' } },
          errors: ['JOB_NOT_FOUND', 'INVALID_REQUEST'],
        },
      },
    },
    async (request, reply) => {
      await releaseControl(api.store, request.params.id, request.query.token);
      return reply.code(204).send();
    },
  );
}
