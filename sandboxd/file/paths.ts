import { lstat, readlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CodedError } from '../../src/protocol/errors.ts';

/** As many as Linux follows itself. */
const MAX_LINKS = 40;

/** Where writing to a path ends up: at the end of its symlinks, whether or not anything is there. */
export async function followLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const info = await lstat(at).catch(() => null);
    if (!info?.isSymbolicLink()) return at;
    at = resolve(dirname(at), await readlink(at));
  }
  throw new CodedError('INVALID_ARGUMENT', `${path} leads through more than ${MAX_LINKS} symlinks.`);
}
