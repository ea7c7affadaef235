import { AISDKError, APICallError } from '@ai-sdk/provider';
import { CodedError } from '../protocol/errors.ts';
import { saysOverflow } from './overflow.ts';

/** What may pass: worth another try, after `retryAfterMs` where the provider asked for it. */
export class PassingFailure extends Error {
  readonly retryAfterMs: number | null;

  constructor(reason: string, retryAfterMs: number | null = null) {
    super(reason);
    this.name = 'PassingFailure';
    this.retryAfterMs = retryAfterMs;
  }
}

const PASSING_STATUS = new Set([408, 409, 425, 429]);
/** A spent account answers 429 like a rate limit, and no wait helps. */
const SPENT_WORDS = /insufficient_quota|billing|credit balance/i;
const WORDS_CAP = 1_000;

/**
 * A failed call to a provider, from its HTTP answer, from an error in its stream or from the network, as what is to
 * be done about it: a {@link PassingFailure}, or a CodedError that ends the job. The original is not kept as cause:
 * it holds the whole request. An error that is not of the provider's making (a log that cannot be written, a fault of
 * ours) is given back as it is.
 */
export function classify(error: unknown, redact: (text: string) => string): Error {
  if (error instanceof Error && !AISDKError.isInstance(error) && !isCutConnection(error)) return error;
  const { status, text, headers } = describe(error);
  const words = redact(text).slice(0, WORDS_CAP);
  const said = status === null ? words : `${status}: ${words}`;

  if (status === 401 || status === 403)
    return new CodedError('MODEL_AUTH_FAILED', `The provider answered ${said}`);
  if (SPENT_WORDS.test(text)) return new CodedError('MODEL_REJECTED', `The provider answered ${said}`);
  if (status === 429) return new PassingFailure(`rate limit: ${said}`, retryAfter(headers));
  if (saysOverflow(text) || status === 413)
    return new CodedError('CONTEXT_OVERFLOW', `The provider answered ${said}`);
  if (status === null || status >= 500 || status < 400 || PASSING_STATUS.has(status))
    return new PassingFailure(said, retryAfter(headers));
  return new CodedError('MODEL_REJECTED', `The provider answered ${said}`);
}

/** What fetch says of a body whose connection went away. */
const isCutConnection = (error: Error): boolean =>
  error instanceof TypeError && error.message === 'terminated';

interface Described {
  /** Null where no HTTP answer with an error status came. */
  status: number | null;
  text: string;
  headers: Record<string, string>;
}

function describe(error: unknown): Described {
  if (APICallError.isInstance(error)) {
    const detail =
      error.responseBody && !error.message.includes(error.responseBody) ? error.responseBody : '';
    const failed = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : null;
    return {
      status: failed,
      text: detail ? `${error.message} ${detail}` : error.message,
      headers: error.responseHeaders ?? {},
    };
  }
  if (error instanceof Error) return { status: null, text: error.message, headers: {} };
  return { status: streamStatus(error), text: asText(error), headers: {} };
}

/** An error that came inside a stream is an object of the provider's own: its type or code tells what HTTP would have. */
function streamStatus(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null;
  const fields = error as { statusCode?: unknown; code?: unknown; type?: unknown };
  for (const value of [fields.statusCode, fields.code]) {
    if (typeof value === 'number' && value >= 400 && value < 600) return value;
  }
  const type = String(fields.type ?? '');
  if (/authentication|permission/.test(type)) return 401;
  return /invalid_request/.test(type) ? 400 : null;
}

function asText(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, code, type } = error as { message?: unknown; code?: unknown; type?: unknown };
  const words = [message, code ?? type].filter(
    (value) => typeof value === 'string' || typeof value === 'number',
  );
  return words.length > 0 ? words.join(' ') : 'an error without words';
}

function retryAfter(headers: Record<string, string>): number | null {
  const ms = Number(headers['retry-after-ms']);
  if (headers['retry-after-ms'] !== undefined && ms >= 0) return ms;
  const value = headers['retry-after'];
  if (value === undefined) return null;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1_000;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
