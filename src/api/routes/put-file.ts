import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { EXAMPLE_FILE } from '../examples.ts';
import { FileParams, pathBelow, WRITE_ERRORS, writableSandbox } from '../files/file-calls.ts';
import { ListedFile } from '../files/listing.ts';
import { existsLive, inWorkspace, listed } from '../files/live-files.ts';
import type { Api, App } from '../options.ts';
import { flag, flagOff } from '../schemas.ts';

const PutQuery = z.strictObject({
  executable: flag().optional().describe('Whether it can be run.'),
  append: flagOff().describe('Whether the bytes go behind what the file has.'),
  folder: flagOff().describe('Makes a folder, in place of a file.'),
});

export function putFileRoute(app: App, api: Api): void {
  app.put(
    '/files/:id/*',
    {
      schema: {
        params: FileParams,
        querystring: PutQuery,
        response: { 200: ListedFile, 201: ListedFile },
      },
      config: {
        streamed: true,
        docs: {
          id: 'putFile',
          tag: 'While it runs',
          summary: 'Write a file into a live workspace, or make a folder',
          description:
            'The body is its bytes, whatever its type. Written whole or not at all (unless with `append`); missing folders are made. With `folder=1` the folder is made, or is there already.',
          answer: 'The file as it is now; 201 where there was none.',
          example: EXAMPLE_FILE,
          bodies: { 'application/octet-stream': { schema: 'binary' } },
          errors: [
            ...WRITE_ERRORS,
            'BODY_TOO_LARGE',
            'IS_A_DIRECTORY',
            'NOT_A_DIRECTORY',
            'NO_SPACE',
            'INVALID_REQUEST',
          ],
        },
      },
    },
    async (request, reply) => {
      const path = pathBelow(request.url);
      const sandbox = await writableSandbox(api, request.params.id);
      const signal = api.streams.signalOf(reply);
      const existed = await existsLive(sandbox, path, signal);
      const { executable, append, folder } = request.query;
      if (folder) await sandbox.mkdir(inWorkspace(path), { signal });
      else {
        const body = limited(request, api.config.MAX_UPLOAD_MB);
        const mode = executable === undefined ? {} : { mode: executable ? 0o755 : 0o644 };
        await sandbox.write(inWorkspace(path), body, { signal, append, ...mode });
      }
      const info = await sandbox.stat(inWorkspace(path), { signal });
      return reply.code(existed ? 200 : 201).send({ ...listed(info, ''), path });
    },
  );
}

/** The body as it comes, up to the limit of uploads. */
function limited(request: FastifyRequest, maxMb: number): AsyncIterable<Buffer> | Buffer {
  const max = maxMb * 2 ** 20;
  const tooLarge = () =>
    new CodedError('BODY_TOO_LARGE', `expected a file of at most ${maxMb} MiB (MAX_UPLOAD_MB)`);
  if (Number(request.headers['content-length'] ?? 0) > max) throw tooLarge();
  const body = request.body;
  if (!(body instanceof Readable)) return Buffer.alloc(0);
  return (async function* () {
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > max) throw tooLarge();
      yield chunk;
    }
  })();
}
