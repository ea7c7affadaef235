import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { ERRORS, type ErrorCode } from '../../protocol/errors.ts';
import type { JsonSchemas } from './json-schemas.ts';
import type { OtherAnswer, RouteDocs } from './route-docs.ts';

/** A route as it was registered. */
export interface CollectedRoute {
  method: string;
  url: string;
  open: boolean;
  docs: RouteDocs;
  schema: {
    params?: z.ZodObject;
    querystring?: z.ZodObject;
    response?: Record<string, z.ZodType>;
  };
}

type Json = Record<string, unknown>;

/** One operation of the OpenAPI document. */
export function operationOf(route: CollectedRoute, schemas: JsonSchemas, keysAskedFor: boolean): Json {
  const { docs, open } = route;
  const parameters = [
    ...parametersOf(route.schema.params, 'path', schemas),
    ...parametersOf(route.schema.querystring, 'query', schemas),
    ...Object.entries(docs.headers ?? {}).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
  return {
    operationId: docs.id,
    tags: [docs.tag],
    summary: docs.summary,
    ...(docs.description && { description: docs.description }),
    security: open ? [] : [...(keysAskedFor ? [] : [{}]), { bearer: [] }, { header: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(docs.bodies && { requestBody: { required: true, content: bodiesOf(docs.bodies, schemas) } }),
    responses: { ...answersOf(route, schemas), ...problemsOf(route, schemas) },
  };
}

function parametersOf(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  schemas: JsonSchemas,
): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, type]) => {
    const { description, ...json } = schemas.of(type as z.ZodType, 'input');
    return {
      name: name === '*' ? 'path' : name,
      in: place,
      ...(place === 'path' && { required: true }),
      description: description ?? (name === '*' ? 'A path relative to the workspace.' : undefined),
      schema: json,
    };
  });
}

function bodiesOf(bodies: NonNullable<RouteDocs['bodies']>, schemas: JsonSchemas): Json {
  return Object.fromEntries(
    Object.entries(bodies).map(([type, { schema, example }]) => [
      type,
      {
        ...(schema === 'binary' ? {} : { schema: schemas.of(schema, 'input') }),
        ...(example !== undefined && { example }),
      },
    ]),
  );
}

function answersOf({ docs, schema }: CollectedRoute, schemas: JsonSchemas): Json {
  const answers: Record<string, { description: string; content?: Json }> = {};
  for (const [status, type] of Object.entries(schema.response ?? {})) {
    if (docs.answers?.[Number(status)] && Number(status) >= 300) continue;
    answers[status] = {
      description: docs.answer ?? docs.summary,
      content: {
        'application/json': {
          schema: schemas.of(type, 'output'),
          ...(docs.example !== undefined && { example: docs.example }),
        },
      },
    };
  }
  for (const [status, given] of Object.entries(docs.answers ?? {})) {
    for (const other of [given].flat()) {
      const content = { ...answers[status]?.content, ...contentOf(other, schemas) };
      answers[status] = {
        description: other.description,
        ...(Object.keys(content).length > 0 && { content }),
      };
    }
  }
  return answers;
}

function contentOf({ type, form, schema, example }: OtherAnswer, schemas: JsonSchemas): Json {
  if (type === undefined) return {};
  const json = schema ? schemas.of(schema, 'output') : form === 'text' ? { type: 'string' } : null;
  // Bytes have no schema in OpenAPI 3.1: the media type says it all.
  return {
    [type]: {
      ...(json && type !== 'application/json' && { schema: json }),
      ...(schema && { schema: json }),
      ...(example !== undefined && { example }),
    },
  };
}

/** Errors that any call of a kind can meet, beside those that it names itself. */
function errorCodesOf({ docs, open, schema, method }: CollectedRoute): ErrorCode[] {
  return [
    ...docs.errors,
    ...(open ? [] : (['UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED', 'STORE_UNAVAILABLE'] as const)),
    ...(schema.params ? (['INVALID_ID'] as const) : []),
    ...(schema.querystring ? (['INVALID_REQUEST'] as const) : []),
    ...(docs.bodies && method === 'POST'
      ? (['MALFORMED_JSON', 'REQUEST_TIMEOUT', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const)
      : []),
    'MALFORMED_REQUEST',
    'INTERNAL',
  ];
}

function problemsOf(route: CollectedRoute, schemas: JsonSchemas): Json {
  const byStatus = Map.groupBy(new Set(errorCodesOf(route)), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: `${STATUS_CODES[status]}: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
        ...(codes.some((code) => code === 'RATE_LIMITED' || code === 'STORE_UNAVAILABLE') && {
          headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } },
        }),
        content: {
          'application/problem+json': {
            schema: problemSchema(route.docs, status, schemas),
            examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      },
    ]),
  );
}

function problemSchema({ problem }: RouteDocs, status: number, schemas: JsonSchemas): Json {
  const reference = { $ref: '#/components/schemas/Problem' };
  if (problem?.status !== status) return reference;
  return { anyOf: [schemas.of(problem.schema, 'output'), reference] };
}

function exampleOf(code: ErrorCode): Json {
  const { status, title, hint } = ERRORS[code];
  return { type: `/docs/errors#${code}`, title, status, detail: title, code, error: title, hint };
}
