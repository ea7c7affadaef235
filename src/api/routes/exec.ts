import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  ExecLine,
  ExecRequest,
  ExecResult,
  ShellLine,
  ShellRequest,
  ShellResult,
} from '../../protocol/sandbox-api.ts';
import type { ProcessEnded } from '../../protocol/sandboxd.ts';
import { accepts } from '../accepts.ts';
import { clientEnv, findLive, LIVE_ERRORS, type Live } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { type Command, execCommand, runToEnd, shellCommand, streamLines } from '../sandboxes/exec-command.ts';
import { LINES, sendLines } from '../sandboxes/send-lines.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const RESULT = {
  exit_code: 0,
  signal: null,
  timed_out: false,
  oom_killed: false,
  duration_ms: 12.5,
  stdout: 'hello\n',
  stderr: '',
  truncated: false,
};
const tag = 'Sandboxes' as const;
const errors = [...LIVE_ERRORS, 'TOO_MANY_PROCESSES', 'INVALID_ARGUMENT', 'NOT_ACCEPTABLE'] as const;

/** Commands in a live sandbox: each by itself, or one after the other in a session that lasts. */
export function execRoutes(app: App, api: Api): void {
  app.post(
    '/exec/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, body: ExecRequest, response: { 200: ExecResult } },
      config: {
        docs: {
          id: 'exec',
          tag,
          summary: 'Run a command in a live sandbox',
          description:
            'Of a sandbox, or of a job that runs. With `Accept: application/x-ndjson` what it prints comes line by line as it is printed, last how it ended; a client that goes ends the command. What it fails with is its exit code: that is no error of the call.',
          answer: 'How it ended, and what it printed: of each stream the first MiB.',
          example: RESULT,
          answers: {
            200: {
              description: 'Its output as it comes.',
              type: LINES,
              schema: ExecLine,
              example: { type: 'stdout', text: 'hello\n' },
            },
          },
          bodies: { 'application/json': { schema: ExecRequest, example: { command: 'echo hello' } } },
          errors: [...errors, 'COMMAND_NOT_FOUND', 'PATH_NOT_FOUND', 'NOT_A_DIRECTORY', 'PERMISSION_DENIED'],
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      return answer(api, request, reply, ({ sandbox }, env) =>
        execCommand(sandbox, { ...body, env: { ...env, ...body.env } }),
      );
    },
  );
  app.post(
    '/shell/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, body: ShellRequest, response: { 200: ShellResult } },
      config: {
        docs: {
          id: 'runInShell',
          tag,
          summary: 'Run a command in a lasting shell session',
          description:
            "The folder, variables and functions stay from call to call; calls of one session run one after the other. Answers as `POST /exec/{id}` does. The agent's own session is `main`.",
          answer: 'How it ended, what it printed, and where the session stands.',
          example: { ...RESULT, cwd: '/workspace', restarted: false },
          answers: {
            200: {
              description: 'Its output as it comes.',
              type: LINES,
              schema: ShellLine,
              example: { type: 'stdout', text: 'hello\n' },
            },
          },
          bodies: { 'application/json': { schema: ShellRequest, example: { command: 'cd src && ls' } } },
          errors: [...errors],
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      return answer(api, request, reply, ({ sandbox }, env) =>
        shellCommand(sandbox, { ...body, env: { ...env, ...body.env } }),
      );
    },
  );
}

async function answer<Ended extends ProcessEnded>(
  api: Api,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  make: (live: Live, env: Record<string, string>) => Command<Ended>,
) {
  const type = accepts(request, ['application/json', LINES]);
  const signal = api.streams.signalOf(reply);
  const live = await findLive(api, request.params.id, signal);
  const command = make(live, await clientEnv(api, live.job));
  // As long as it takes, and silent for as long as it likes.
  request.raw.socket.setTimeout(0);
  if (type === 'application/json') return runToEnd(command, signal);
  return sendLines(reply, streamLines(command, signal));
}
