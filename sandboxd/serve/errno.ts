import { CodedError, type ErrorCode } from '../../src/protocol/errors.ts';
import { wordsOf } from '../../src/protocol/words-of.ts';

const CODES: Record<string, ErrorCode> = {
  ENOENT: 'PATH_NOT_FOUND',
  EEXIST: 'PATH_EXISTS',
  ENOTEMPTY: 'PATH_EXISTS',
  EISDIR: 'IS_A_DIRECTORY',
  ENOTDIR: 'NOT_A_DIRECTORY',
  ENXIO: 'NOT_A_FILE',
  ESPIPE: 'NOT_A_FILE',
  EACCES: 'PERMISSION_DENIED',
  EPERM: 'PERMISSION_DENIED',
  EROFS: 'PERMISSION_DENIED',
  EBUSY: 'PERMISSION_DENIED',
  ETXTBSY: 'PERMISSION_DENIED',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'NO_SPACE',
  ENAMETOOLONG: 'INVALID_ARGUMENT',
  ELOOP: 'INVALID_ARGUMENT',
  EINVAL: 'INVALID_ARGUMENT',
  E2BIG: 'INVALID_ARGUMENT',
  EAGAIN: 'TOO_MANY_PROCESSES',
  ENOMEM: 'TOO_MANY_PROCESSES',
  EMFILE: 'TOO_MANY_PROCESSES',
  ENFILE: 'TOO_MANY_PROCESSES',
};
const WORDS: Partial<Record<ErrorCode, string>> = {
  PATH_NOT_FOUND: 'does not exist',
  PATH_EXISTS: 'exists already, or is a folder that is not empty',
  IS_A_DIRECTORY: 'is a folder',
  NOT_A_DIRECTORY: 'is not a folder, or lies below something that is not',
  NOT_A_FILE: 'is not a regular file',
  PERMISSION_DENIED: 'may not be used like that',
  NO_SPACE: 'could not be written: the disk is full',
};

export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** A failure of the operating system, met at `what` (a path, say), with the code that a caller understands. */
export function fromErrno(error: unknown, what: string): unknown {
  if (error instanceof CodedError) return error;
  const name = errno(error);
  const code = name === undefined ? undefined : CODES[name];
  if (!code) return error;
  const words = WORDS[code] ?? wordsOf(error);
  return new CodedError(code, `${what} ${words} (${name}).`, { cause: error });
}

/** What `work` gives; its failures through {@link fromErrno}. */
export async function withErrno<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromErrno(error, what);
  }
}
