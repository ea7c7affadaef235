import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import {
  ProcessLine,
  ProcessOutput,
  ProcessState,
  ProcessStates,
  SignalRequest,
  StartProcessRequest,
  StdinRequest,
} from '../../protocol/sandbox-api.ts';
import { accepts } from '../accepts.ts';
import { clientEnv, findLive, LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { followOutput, readOutput, stateOfProcess } from '../sandboxes/process-output.ts';
import { LINES, sendLines } from '../sandboxes/send-lines.ts';
import { flagOff, JobParams, NoQuery, wholeNumberOr } from '../schemas.ts';

const tag = 'Sandboxes' as const;
const ProcessParams = JobParams.extend({
  process: z.string().min(1).max(100).describe('The process_id that POST /processes/{id} gave.'),
});
const errors = [...LIVE_ERRORS, 'PROCESS_NOT_FOUND'] as const;
const MAX_OFFSET = 2 ** 50;
const OutputQuery = z.strictObject({
  stdout_from: wholeNumberOr(0, 0, MAX_OFFSET).describe('Only stdout from this byte on.'),
  stderr_from: wholeNumberOr(0, 0, MAX_OFFSET).describe('Only stderr from this byte on.'),
  follow: flagOff().describe('Whether to go on until it ends; only as a stream of lines.'),
});
const EXAMPLE = {
  process_id: 'p7',
  pid: 412,
  command: 'npm run dev',
  background: true,
  started_ms_ago: 5_012,
  ended: null,
  stdout_bytes: 180,
  stderr_bytes: 0,
};

/** Processes of a live sandbox that go on when the call that started them is over. */
export function processesRoutes(app: App, api: Api): void {
  app.post(
    '/processes/:id',
    {
      schema: {
        params: JobParams,
        querystring: NoQuery,
        body: StartProcessRequest,
        response: { 201: ProcessState.pick({ process_id: true, pid: true }) },
      },
      config: {
        docs: {
          id: 'startProcess',
          tag,
          summary: 'Start a process in the background',
          description:
            'A server or a watcher, say: it goes on after the call. The newest of what it prints is kept, and its stdin is open.',
          answer: 'It runs.',
          example: { process_id: 'p7', pid: 412 },
          bodies: {
            'application/json': { schema: StartProcessRequest, example: { command: 'npm run dev' } },
          },
          errors: [
            ...LIVE_ERRORS,
            'COMMAND_NOT_FOUND',
            'PATH_NOT_FOUND',
            'NOT_A_DIRECTORY',
            'PERMISSION_DENIED',
            'TOO_MANY_PROCESSES',
            'INVALID_ARGUMENT',
          ],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const { job, sandbox } = await findLive(api, request.params.id, signal);
      const { command, argv, cwd, env } = request.body;
      const started = await sandbox.spawn(
        {
          ...(argv ? { argv } : { shell: command ?? '' }),
          ...(cwd !== undefined && { cwd }),
          env: { ...(await clientEnv(api, job)), ...env },
        },
        { signal },
      );
      return reply.code(201).send({ process_id: started.id, pid: started.pid });
    },
  );
  app.get(
    '/processes/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: ProcessStates } },
      config: {
        docs: {
          id: 'listProcesses',
          tag,
          summary: 'The processes of a live sandbox',
          description: 'Those that calls have started and that are remembered; `ps` lists all that run.',
          answer: 'Those that run, and those that ended lately.',
          example: { processes: [EXAMPLE] },
          errors: [...LIVE_ERRORS],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, request.params.id, signal);
      return { processes: (await sandbox.processes({ signal })).map(stateOfProcess) };
    },
  );
  app.get(
    '/processes/:id/:process',
    {
      schema: { params: ProcessParams, querystring: OutputQuery, response: { 200: ProcessOutput } },
      config: {
        docs: {
          id: 'getProcess',
          tag,
          summary: 'A background process and what it has printed',
          description:
            'From the given bytes on, as far as it is kept; the answer says from where to go on. With `Accept: application/x-ndjson` as lines, with `follow=1` until it ends.',
          answer: 'How it is, and its output: of each stream the first MiB from there on.',
          example: {
            process: EXAMPLE,
            stdout: 'ready\n',
            stderr: '',
            stdout_from: 0,
            stderr_from: 0,
            stdout_next: 6,
            stderr_next: 0,
          },
          answers: {
            200: {
              description: 'Its output as it comes.',
              type: LINES,
              schema: ProcessLine,
              example: { type: 'stdout', text: 'ready\n' },
            },
          },
          errors: [...errors, 'NOT_ACCEPTABLE'],
        },
      },
    },
    async (request, reply) => {
      const { id, process } = request.params;
      const { stdout_from: stdoutFrom, stderr_from: stderrFrom, follow } = request.query;
      const type = accepts(request, ['application/json', LINES]);
      if (follow && type === 'application/json') {
        throw new CodedError('NOT_ACCEPTABLE', `expected Accept: ${LINES} with follow; found JSON`);
      }
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, id, signal);
      const wanted = { id: process, stdoutFrom, stderrFrom, follow };
      if (type === 'application/json') return readOutput(sandbox, wanted, signal);
      request.raw.socket.setTimeout(0);
      return sendLines(reply, followOutput(sandbox, wanted, signal));
    },
  );
  app.post(
    '/processes/:id/:process/signal',
    {
      schema: { params: ProcessParams, querystring: NoQuery, body: SignalRequest },
      config: {
        docs: {
          id: 'signalProcess',
          tag,
          summary: 'Send a signal to a process and all that it started',
          answers: { 204: { description: 'It is sent.' } },
          bodies: { 'application/json': { schema: SignalRequest, example: { signal: 'SIGTERM' } } },
          errors: [...errors],
        },
      },
    },
    async (request, reply) => {
      const { id, process } = request.params;
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, id, signal);
      await sandbox.signal(process, request.body.signal, { signal });
      return reply.code(204).send();
    },
  );
  app.post(
    '/processes/:id/:process/stdin',
    {
      schema: { params: ProcessParams, querystring: NoQuery, body: StdinRequest },
      config: {
        docs: {
          id: 'writeStdin',
          tag,
          summary: 'Write to the stdin of a background process',
          answers: { 204: { description: 'It is written.' } },
          bodies: { 'application/json': { schema: StdinRequest, example: { text: 'yes\n' } } },
          errors: [...errors, 'INVALID_ARGUMENT'],
        },
      },
    },
    async (request, reply) => {
      const { id, process } = request.params;
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, id, signal);
      const { text = '', end = false } = request.body;
      await sandbox.input({ id: process, bytes: Buffer.from(text), end }, { signal });
      return reply.code(204).send();
    },
  );
}
