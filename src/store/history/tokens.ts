/** What a text is found by beyond its plain words. */
export interface Tokens {
  /**
   * Identifiers as they are, in lower case: paths and their ends, hosts with ports, error codes, hashes, versions; and
   * each two neighbours of their parts, so that `vault-3` is found in `pool.vault-3.size` and `release-of-vault-3`.
   */
  exact: string[];
  /** The words that identifiers are made of (`fetchUserName`: fetch user name), for the language's stemmer. */
  words: string[];
}

const TOKEN = /[\p{L}\p{N}_@$#%~][\p{L}\p{N}_@$#%~./:\\+-]*/gu;
const PLAIN_WORD = /^\p{L}\p{Ll}*$/u;
/** Scripts that are written without spaces: PostgreSQL would take a whole sentence for one word. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{2,}/gu;
const LONGEST = 200;
const MOST_PATH_ENDS = 6;

/**
 * The identifiers of a text. PostgreSQL's parser knows words, hosts and some paths, but splits or misses camelCase,
 * `ECONNREFUSED:5432`, `src/a.ts:12` and the like; a text and a question are taken apart here the same way.
 */
export function tokensOf(text: string): Tokens {
  const exact = new Set<string>();
  const words = new Set<string>();
  for (const [found] of text.matchAll(TOKEN)) {
    const token = found.replace(/[./:\\+~-]+$/, '');
    if (token.length < 2 || token.length > LONGEST || PLAIN_WORD.test(token)) continue;
    exact.add(token.toLowerCase());
    for (const end of ends(token)) exact.add(end.toLowerCase());
    const parts = partsOf(token);
    for (const [at, part] of parts.entries()) {
      if (part.length > 1) words.add(part);
      if (at > 0) exact.add(`${parts[at - 1]}~${part}`.toLowerCase());
    }
  }
  for (const [run] of text.matchAll(UNSPACED)) {
    const characters = [...run];
    for (const [at, first] of characters.slice(0, -1).entries()) exact.add(first + characters[at + 1]);
  }
  return { exact: [...exact], words: [...words] };
}

/** `a/b/c.ts:12` without its place, and `b/c.ts`, `c.ts`: people and programs name a file from different folders. */
function ends(token: string): string[] {
  const name = token.replace(/(:\d+){1,2}$/, '');
  const folders = name.split(/[/\\]/).filter(Boolean);
  const found = name === token ? [] : [name];
  for (let from = Math.max(0, folders.length - MOST_PATH_ENDS); from < folders.length; from += 1)
    found.push(folders.slice(from).join('/'));
  return found.filter((end) => end.length > 1);
}

const partsOf = (token: string): string[] =>
  token
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u)
    .filter(Boolean);
