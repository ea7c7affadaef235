import { TerminalList, TerminalName } from '../../protocol/terminal.ts';
import { LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { JobParams, NoQuery } from '../schemas.ts';

const tag = 'While it runs' as const;

/** The terminals of a live sandbox; `GET /terminal/{id}` opens them. */
export function terminalsRoute(app: App, api: Api): void {
  app.get(
    '/terminals/:id',
    {
      schema: { params: JobParams, querystring: NoQuery, response: { 200: TerminalList } },
      config: {
        docs: {
          id: 'listTerminals',
          tag,
          summary: 'The terminals of a live sandbox',
          answer: 'Each with its size, and how many see it.',
          example: { terminals: [{ name: 'main', rows: 24, columns: 80, pid: 412, viewers: 1 }] },
          errors: [...LIVE_ERRORS],
        },
      },
    },
    async (request, reply) => {
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, request.params.id, signal);
      return { terminals: await sandbox.terminals.list({ signal }) };
    },
  );
}

/** Ends a terminal. Apart from the list, since it takes no body. */
export function endTerminalRoute(app: App, api: Api): void {
  app.delete(
    '/terminals/:id/:name',
    {
      schema: {
        params: JobParams.extend({ name: TerminalName.describe('The name of the terminal.') }),
        querystring: NoQuery,
      },
      config: {
        docs: {
          id: 'endTerminal',
          tag,
          summary: 'End a terminal with all that runs in it',
          answers: { 204: { description: 'It has ended.' } },
          errors: [...LIVE_ERRORS, 'PROCESS_NOT_FOUND'],
        },
      },
    },
    async (request, reply) => {
      const { id, name } = request.params;
      const signal = api.streams.signalOf(reply);
      const sandbox = await liveSandbox(api, id, signal);
      await sandbox.terminals.close(name, { signal });
      return reply.code(204).send();
    },
  );
}
