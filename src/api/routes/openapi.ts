import { buildDocument, type CollectedRoute } from '../openapi/build-document.ts';
import type { Api, App } from '../options.ts';

export function openapiRoute(app: App, api: Api, routes: readonly CollectedRoute[]): void {
  let text: string | null = null;
  app.get(
    '/openapi.json',
    {
      config: {
        open: true,
        docs: {
          id: 'getOpenapi',
          tag: 'Server',
          summary: 'This document',
          answers: { 200: { description: 'OpenAPI 3.1.', type: 'application/json', form: 'text' } },
          errors: [],
        },
      },
    },
    async (_request, reply) => {
      text ??= JSON.stringify(buildDocument(routes, api), null, 2);
      return reply.header('content-type', 'application/json; charset=utf-8').send(text);
    },
  );
}
