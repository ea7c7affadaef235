import { CodedError } from '../protocol/errors.ts';

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EACCES',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Connection exceptions, lack of resources, an operator's or a crash's interruption, input or output errors; a standby. */
const SQLSTATES = /^(08|53|57|58)|^(25006|55P03)$/;
const MESSAGES =
  /connection terminated|timeout exceeded|query read timeout|not queryable|pool after calling end|connection (ended|closed)/i;

/**
 * Tells a database that cannot be reached now from a fault of ours.
 * @returns a CodedError STORE_UNAVAILABLE with the cause, or the error as it was.
 */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CodedError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!NETWORK.has(code) && !SQLSTATES.test(code) && !MESSAGES.test(error.message)) return error;
  const why = error.message || code;
  return new CodedError('STORE_UNAVAILABLE', `the database does not answer: ${why}`, { cause: error });
}
