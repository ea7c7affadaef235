import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/protocol/errors.ts';
import { startApi, type TestApi } from './start-api.ts';

type Json = Record<string, unknown>;
interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters?: { name: string; in: string; description?: string; schema: Json }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}
interface Media {
  schema?: Json;
  example?: unknown;
  examples?: Record<string, { value: Json }>;
}

let api: TestApi;
let document: {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
};
beforeAll(async () => {
  api = await startApi();
  document = (await (await fetch(`${api.url}/openapi.json`)).json()) as typeof document;
});
afterAll(() => api.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

const CALLS = [
  'POST /schedule',
  'GET /status/{id}',
  'POST /cancel/{id}',
  'GET /jobs',
  'GET /job/{id}',
  'GET /job/{id}/context',
  'GET /logs/{id}',
  'GET /logs/{id}/{log_type}',
  'GET /download/{id}',
  'GET /events/{id}',
  'GET /images/{id}/{image}',
  'GET /terminals/{id}',
  'DELETE /terminals/{id}/{name}',
  'POST /shell/{id}',
  'POST /processes/{id}',
  'GET /processes/{id}',
  'GET /processes/{id}/{process}',
  'POST /processes/{id}/{process}/signal',
  'POST /processes/{id}/{process}/stdin',
  'GET /kernels/{id}',
  'POST /kernels/{id}',
  'POST /kernels/{id}/{name}/run',
  'POST /kernels/{id}/{name}/interrupt',
  'POST /kernels/{id}/{name}/restart',
  'DELETE /kernels/{id}/{name}',
  'POST /desktop/{id}/start',
  'GET /desktop/{id}/screenshot',
  'POST /desktop/{id}/act',
  'POST /desktop/{id}/launch',
  'PATCH /files/{id}/{path}',
  'GET /watch/{id}/{path}',
  'POST /message/{id}',
  'GET /ports/{id}',
  'GET /ports/{id}/{path}',
  'POST /tickets/{id}',
  'GET /terminal/{id}',
  'POST /sandboxes',
  'GET /sandboxes',
  'GET /sandboxes/{id}',
  'POST /sandboxes/{id}/keep',
  'DELETE /sandboxes/{id}',
  'POST /exec/{id}',
  'GET /desktop/{id}',
  'GET /desktop/{id}/control',
  'POST /desktop/{id}/control',
  'DELETE /desktop/{id}/control',
  'POST /pause/{id}',
  'POST /resume/{id}',
  'GET /files/{id}/{path}',
  'PUT /files/{id}/{path}',
  'DELETE /files/{id}/{path}',
  'GET /',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'GET /openapi.json',
];

describe('GET /openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('has every call, and no other', () => {
    const found = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(found.sort()).toEqual([...CALLS].sort());
  });

  it('says of each what it is, takes, answers and can fail with', () => {
    for (const { operation } of operations()) {
      expect(operation.summary, operation.operationId).toMatch(/\w/);
      for (const parameter of operation.parameters ?? []) {
        expect(parameter.description, `${operation.operationId} ${parameter.name}`).toMatch(/\w/);
      }
      const statuses = Object.keys(operation.responses).map(Number);
      expect(Math.min(...statuses), operation.operationId).toBeLessThan(300);
      expect(statuses).toContain(400);
    }
    expect(new Set(operations().map(({ operation }) => operation.operationId)).size).toBe(CALLS.length);
  });

  it('names only errors of the registry, each under its status', () => {
    for (const { operation } of operations()) {
      for (const [status, response] of Object.entries(operation.responses)) {
        for (const code of Object.keys(response.content?.['application/problem+json']?.examples ?? {})) {
          expect(ERRORS, code).toHaveProperty(code);
          expect(String(ERRORS[code as keyof typeof ERRORS].status)).toBe(status);
        }
      }
    }
  });

  it('shows examples that fit their schemas', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'doc', ...document });
    let checked = 0;
    for (const { operation } of operations()) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
        Object.values(part?.content ?? {}),
      );
      for (const { schema, example, examples } of contents) {
        if (!schema) continue;
        const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')));
        const values = [example, ...Object.values(examples ?? {}).map(({ value }) => value)];
        for (const value of values.filter((each) => each !== undefined)) {
          expect(validate(value), `${operation.operationId}: ${ajv.errorsText(validate.errors)}`).toBe(true);
          checked++;
        }
      }
    }
    expect(checked).toBeGreaterThan(100);
  });

  it('tells numbers and lists of a query as what they are', () => {
    const parameters = Object.fromEntries(
      (document.paths['/jobs']?.get?.parameters ?? []).map(({ name, schema }) => [name, schema]),
    );
    expect(parameters.limit).toEqual({ type: 'integer', minimum: 1, maximum: 1000, default: 100 });
    expect(parameters.status).toMatchObject({ type: 'array', items: { enum: expect.any(Array) } });
  });
});
