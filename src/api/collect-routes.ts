import type { CollectedRoute } from './openapi/operation.ts';
import type { App } from './options.ts';
import { RouteTable } from './route-table.ts';

/** Remembers the routes as they are registered: for 405 answers, and for the OpenAPI document. */
export function collectRoutes(app: App): { table: RouteTable; documented: CollectedRoute[] } {
  const table = new RouteTable();
  const documented: CollectedRoute[] = [];
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    const methods = [method].flat();
    table.add(url, methods);
    const first = methods[0];
    if (!config?.docs || first === undefined || first === 'HEAD') return;
    documented.push({
      method: first,
      url,
      open: config.open ?? false,
      docs: config.docs,
      schema: (schema ?? {}) as CollectedRoute['schema'],
    });
  });
  return { table, documented };
}
