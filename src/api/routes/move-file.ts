import { z } from 'zod';
import { EXAMPLE_FILE } from '../examples.ts';
import { FileParams, pathBelow, WRITE_ERRORS, writableSandbox } from '../files/file-calls.ts';
import { checkedPath } from '../files/file-path.ts';
import { ListedFile } from '../files/listing.ts';
import { inWorkspace, listed } from '../files/live-files.ts';
import type { Api, App } from '../options.ts';
import { NoQuery } from '../schemas.ts';

const MoveRequest = z
  .strictObject({
    path: z.string().min(1).max(4_096).describe('Where it is to be, relative to the workspace.'),
    overwrite: z.boolean().optional().describe('Whether a file that is there may be replaced.'),
  })
  .meta({ id: 'MoveRequest' });

export function moveFileRoute(app: App, api: Api): void {
  app.patch(
    '/files/:id/*',
    {
      schema: {
        params: FileParams,
        querystring: NoQuery,
        body: MoveRequest,
        response: { 200: ListedFile },
      },
      config: {
        docs: {
          id: 'moveFile',
          tag: 'While it runs',
          summary: 'Move a file or folder of a live workspace',
          description: 'Missing folders on the way are made.',
          answer: 'The file, where it is now.',
          example: EXAMPLE_FILE,
          bodies: { 'application/json': { schema: MoveRequest, example: { path: 'src/new-name.ts' } } },
          errors: [...WRITE_ERRORS, 'PATH_NOT_FOUND', 'PATH_EXISTS', 'NOT_A_DIRECTORY', 'INVALID_ARGUMENT'],
        },
      },
    },
    async (request, reply) => {
      const from = pathBelow(request.url);
      const path = checkedPath(request.body.path);
      const sandbox = await writableSandbox(api, request.params.id);
      const signal = api.streams.signalOf(reply);
      const { overwrite = false } = request.body;
      await sandbox.move(inWorkspace(from), inWorkspace(path), { overwrite, signal });
      return { ...listed(await sandbox.stat(inWorkspace(path), { signal }), ''), path };
    },
  );
}
