import { type CodedError, ERRORS } from '../protocol/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/**
 * An error as RFC 9457 problem details, in JSON.
 * @param base where the server is reached, so that `type` resolves; empty gives a reference relative to the request.
 * @param extra members of one call's own, such as those of a refused cancellation.
 */
export function problemJson(error: CodedError, base: string, extra: object = {}): string {
  return JSON.stringify({
    type: `${base}/docs/errors#${error.code}`,
    title: ERRORS[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    error: error.message,
    hint: error.hint,
    ...(error.faults && { errors: error.faults }),
    ...extra,
  });
}
