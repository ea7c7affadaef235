import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';

/** The arguments of a call as their schema gives them. @throws CodedError INVALID_ARGUMENT naming each fault. */
export function checkArguments<Schema extends z.ZodType>(schema: Schema, args: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'arguments'}: ${message}`,
  );
  throw new CodedError('INVALID_ARGUMENT', faults.join('; '));
}
