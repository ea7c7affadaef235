import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { CodedError, type Fault } from '../protocol/errors.ts';

type Issue = z.core.$ZodIssue;

const PARTS: Record<string, string> = {
  body: 'body',
  querystring: 'query',
  params: 'address',
  headers: 'headers',
};

/** Checks a part of a request against its zod schema. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data) => {
    try {
      return { value: checked(schema, data, PARTS[httpPart ?? 'body'] ?? 'request') };
    } catch (error) {
      if (error instanceof CodedError) return { error };
      throw error;
    }
  };

/**
 * The value as the schema gives it.
 * @throws CodedError INVALID_REQUEST with one fault for each member that does not fit, INVALID_ID for a job's id.
 */
export function checked<T extends z.ZodType>(schema: T, value: unknown, part: string): z.output<T> {
  const result = schema.safeParse(value, { error: wording });
  if (result.success) return result.data;
  const issues = result.error.issues;
  if (part === 'address' && issues[0]?.path[0] === 'id')
    throw new CodedError('INVALID_ID', issues[0].message);
  throw invalid(issues.flatMap(faultsOf), part);
}

/** An INVALID_REQUEST that names the first fault and lists all. */
export function invalid(faults: Fault[], part = 'body'): CodedError {
  const [first] = faults;
  const where = first?.path ? `${first.path}: ` : '';
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new CodedError(
    'INVALID_REQUEST',
    `the ${part} does not fit: ${where}${first?.message ?? ''}${more}`,
    {
      faults: faults.slice(0, 100),
    },
  );
}

function faultsOf(issue: Issue): Fault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathOf([...path, key.slice(0, 100)]),
      message: 'expected only known members; this one is unknown',
    }));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path: pathOf(path), message: inner.message }));
  }
  return [{ path: pathOf(path), message: issue.message }];
}

const pathOf = (path: string[]) => path.join('.').slice(0, 300);

/** Zod's own wording says "received undefined" of what is missing; people look for the word "missing". */
function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  const expected = `expected ${issue.expected === 'int' ? 'a whole number' : issue.expected}`;
  return issue.input === undefined
    ? `${expected}; it is missing`
    : `${expected}; found ${typeName(issue.input)}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
