import { Readable } from 'node:stream';
import { z } from 'zod';
import { WatchLine } from '../../protocol/sandbox-api.ts';
import { DEFAULT_EXCLUDES } from '../accept-request.ts';
import { FileParams } from '../files/file-calls.ts';
import { filePath } from '../files/file-path.ts';
import { inWorkspace } from '../files/live-files.ts';
import { asEvents, watchLines } from '../files/watch-lines.ts';
import { LIVE_ERRORS, liveSandbox } from '../live/live-sandbox.ts';
import type { RouteDocs } from '../openapi/route-docs.ts';
import type { Api, App } from '../options.ts';
import { flag, repeated } from '../schemas.ts';

/** What changes often and is rarely looked at. */
const EXCLUDES = [...DEFAULT_EXCLUDES, '**/.git/**', '.agent/**'];

const WatchQuery = z.strictObject({
  recursive: flag()
    .default(true)
    .describe('Whether the folders in it are watched too; they are, unless it is 0.'),
  exclude: repeated(z.string().min(1).max(1_000)).describe(
    'Globs, relative to the folder, of what is not watched; default: dependency and cache folders, .git.',
  ),
});

const DOCS: RouteDocs = {
  id: 'watchFiles',
  tag: 'While it runs',
  summary: 'Follow what changes in a live workspace',
  description:
    'Server-Sent Events, until the client goes. First `watching`: from here on nothing is missed. Then a `change` for each file or folder that is created, modified or removed; several changes of one within 20 ms are one. `overflow` says that more happened at once than is kept: list the folder anew. `failed` is the last one, with why it cannot go on; a stream that ends without it was cut. At most 4,096 folders and 50,000 names a watch, 8 watches a sandbox.',
  answers: {
    200: {
      description: 'The changes.',
      type: 'text/event-stream',
      schema: WatchLine,
      example: { type: 'change', kind: 'modified', path: 'src/main.ts', file_type: 'file' },
    },
  },
  errors: [...LIVE_ERRORS, 'INVALID_PATH', 'PATH_NOT_FOUND', 'PERMISSION_DENIED'],
};

export function watchRoute(app: App, api: Api): void {
  for (const url of ['/watch/:id', '/watch/:id/*']) {
    app.get(
      url,
      {
        schema: { params: FileParams, querystring: WatchQuery },
        config: url.endsWith('*') ? { docs: DOCS } : {},
      },
      async (request, reply) => {
        const path = filePath(request.url);
        const signal = api.streams.signalOf(reply);
        const sandbox = await liveSandbox(api, request.params.id, signal);
        // A wrong path is told as an answer's status, not as an event.
        await sandbox.stat(inWorkspace(path), { signal });
        const { recursive, exclude = EXCLUDES } = request.query;
        request.raw.socket.setTimeout(0);
        const lines = watchLines(
          sandbox,
          { path, recursive, exclude },
          { heartbeatMs: api.deadlines.heartbeat, signal },
        );
        return reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-cache, no-transform')
          .header('x-accel-buffering', 'no')
          .send(Readable.from(asEvents(lines), { objectMode: false }));
      },
    );
  }
}
