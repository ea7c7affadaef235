import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { ExecLine, ExecRequest, ExecResult } from '../../protocol/sandbox-api.ts';
import { accepts } from '../accepts.ts';
import { clientEnv, findLive, LIVE_ERRORS } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { runToEnd, streamLines } from '../sandboxes/exec-command.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const LINES = 'application/x-ndjson';
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

export function execRoute(app: App, api: Api): void {
  app.post(
    '/exec/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, body: ExecRequest, response: { 200: ExecResult } },
      config: {
        docs: {
          id: 'exec',
          tag: 'Sandboxes',
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
          errors: [
            ...LIVE_ERRORS,
            'COMMAND_NOT_FOUND',
            'PATH_NOT_FOUND',
            'NOT_A_DIRECTORY',
            'PERMISSION_DENIED',
            'TOO_MANY_PROCESSES',
            'INVALID_ARGUMENT',
            'NOT_ACCEPTABLE',
          ],
        },
      },
    },
    async (request, reply) => {
      const type = accepts(request, ['application/json', LINES]);
      const signal = api.streams.signalOf(reply);
      const { job, sandbox } = await findLive(api, request.params.id, signal);
      const wanted = { ...request.body, env: { ...(await clientEnv(api, job)), ...request.body.env } };
      // As long as it takes, and silent for as long as it likes.
      request.raw.socket.setTimeout(0);
      if (type === 'application/json') return runToEnd(sandbox, wanted, signal);
      return sendLines(reply, streamLines(sandbox, wanted, signal));
    },
  );
}

function sendLines(reply: FastifyReply, lines: AsyncIterable<ExecLine>): FastifyReply {
  return reply
    .header('content-type', `${LINES}; charset=utf-8`)
    .header('cache-control', 'no-store')
    .send(Readable.from(asText(lines), { objectMode: false }));
}

async function* asText(lines: AsyncIterable<ExecLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
