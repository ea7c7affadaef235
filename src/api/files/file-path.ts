import { CodedError } from '../../protocol/errors.ts';

const MAX_PATH_BYTES = 4_096;
const MAX_NAME_BYTES = 255;

/**
 * The path that the address of a /files or /watch call names, relative to the workspace; '' is the workspace itself.
 * Taken from the address as it was sent and decoded once, so that nothing is decoded twice on the way.
 * @throws CodedError INVALID_PATH
 */
export function filePath(url: string): string {
  const encoded = /^\/(?:files|watch)\/[^/?]*\/?([^?]*)/.exec(url)?.[1] ?? '';
  return checkedPath(decodeURIComponent(encoded));
}

/** A path relative to the workspace, in its plain form. @throws CodedError INVALID_PATH */
export function checkedPath(path: string): string {
  const fault = faultOf(path);
  if (fault) throw new CodedError('INVALID_PATH', fault);
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function faultOf(path: string): string | null {
  const parts = path.split('/');
  if (path.includes('\0')) return 'expected a path without NUL';
  if (path.startsWith('/')) return 'expected a path relative to the workspace; found an absolute one';
  if (parts.includes('..')) return 'expected a path without ".."';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `expected a path of at most ${MAX_PATH_BYTES} bytes`;
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES)) {
    return `expected names of at most ${MAX_NAME_BYTES} bytes`;
  }
  return null;
}
