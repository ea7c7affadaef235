import { Problem } from '../../protocol/job.ts';
import type { Api } from '../options.ts';
import { JsonSchemas } from './json-schemas.ts';
import { type CollectedRoute, operationOf } from './operation.ts';
import { TAGS } from './route-docs.ts';

export type { CollectedRoute };

const ABOUT = `A prompt goes in, a zip comes out: each job gets an agent and an isolated machine of its own.

\`POST /schedule\` takes a prompt; \`GET /status/{id}\` and \`GET /events/{id}\` tell how it goes; \`GET /download/{id}\` gives what it made.
Every error is \`application/problem+json\` with a \`code\` and a \`hint\`; [/docs/errors](/docs/errors) lists them all.`;

/** The OpenAPI 3.1 document, from the routes and the schemas that check them. */
export function buildDocument(
  routes: readonly CollectedRoute[],
  { config, version }: Pick<Api, 'config' | 'version'>,
): Record<string, unknown> {
  const schemas = new JsonSchemas();
  schemas.of(Problem, 'output');
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}').replace(/\*/, '{path}');
    const item = paths[path] ?? {};
    paths[path] = item;
    item[route.method.toLowerCase()] = operationOf(route, schemas, config.API_KEYS.length > 0);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'containerized-agent',
      version,
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: config.PUBLIC_URL?.replace(/\/+$/, '') ?? '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: "One of the server's API_KEYS." },
        header: {
          type: 'apiKey',
          in: 'header',
          name: 'X-API-Key',
          description: "One of the server's API_KEYS.",
        },
      },
    },
  };
}
