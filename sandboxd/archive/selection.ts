import picomatch from 'picomatch';
import { CodedError } from '../../src/protocol/errors.ts';
import { wordsOf } from '../../src/protocol/words-of.ts';

type Test = (path: string) => boolean;

/** Which paths below the root are wanted; a glob that names a folder goes for all that is in it. */
export interface Selection {
  included: Test;
  excluded: Test;
}

/** @throws CodedError INVALID_ARGUMENT for a glob that cannot be read. */
export function select(include: string[], exclude: string[]): Selection {
  return { included: include.length === 0 ? () => true : compile(include), excluded: compile(exclude) };
}

function compile(globs: string[]): Test {
  if (globs.length === 0) return () => false;
  try {
    return picomatch(globs.map(plain), { dot: true, strictSlashes: false });
  } catch (cause) {
    const found = wordsOf(cause);
    throw new CodedError('INVALID_ARGUMENT', `Expected globs; found one that cannot be read: ${found}`, {
      cause,
    });
  }
}

/** `./dist/` is `dist`. */
const plain = (glob: string): string => glob.replace(/^(\.\/+)+/, '').replace(/(.)\/+$/, '$1') || '**';
