import { z } from 'zod';
import type { App } from '../options.ts';
import { readAsset } from '../pages/assets.ts';
import { NoQuery } from '../schemas.ts';
import { isUnchanged } from '../send-bytes.ts';

/** The scripts and styles of the pages. */
export function assetsRoute(app: App): void {
  const params = z.object({ '*': z.string() });
  app.get(
    '/assets/*',
    { schema: { params, querystring: NoQuery }, config: { open: true, probe: true } },
    async (request, reply) => {
      const { bytes, type, etag } = await readAsset(request.params['*']);
      reply.header('etag', etag).header('cache-control', 'no-cache');
      if (isUnchanged(request, etag)) return reply.code(304).send();
      return reply.header('content-type', type).send(bytes);
    },
  );
}
