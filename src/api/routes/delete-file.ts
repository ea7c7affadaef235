import { z } from 'zod';
import { FileParams, pathBelow, WRITE_ERRORS, writableSandbox } from '../files/file-calls.ts';
import { inWorkspace } from '../files/live-files.ts';
import type { Api, App } from '../options.ts';
import { flagOff } from '../schemas.ts';

export function deleteFileRoute(app: App, api: Api): void {
  app.delete(
    '/files/:id/*',
    {
      schema: {
        params: FileParams,
        querystring: z.strictObject({
          recursive: flagOff().describe('Whether a folder goes with all in it.'),
        }),
      },
      config: {
        docs: {
          id: 'deleteFile',
          tag: 'While it runs',
          summary: 'Remove a file or folder of a live workspace',
          answers: { 204: { description: 'It is gone.' } },
          errors: [...WRITE_ERRORS, 'PATH_NOT_FOUND', 'IS_A_DIRECTORY', 'INVALID_REQUEST'],
        },
      },
    },
    async (request, reply) => {
      const path = pathBelow(request.url);
      const sandbox = await writableSandbox(api, request.params.id);
      const { recursive } = request.query;
      await sandbox.remove(inWorkspace(path), { recursive, signal: api.streams.signalOf(reply) });
      return reply.code(204).send();
    },
  );
}
