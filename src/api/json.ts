import { CodedError, type Fault } from '../protocol/errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** Text with none of these escapes parses to strings without NUL and without lone surrogates. */
const SUSPECT_ESCAPE = /\\u(?:[dD][89a-fA-F]|0000)/;

/**
 * Parses a body that must be one JSON object, more strictly than JSON.parse: each member named once, no `__proto__`,
 * no lone surrogates, and NUL in the `content` of files alone (the database takes neither).
 * @throws CodedError MALFORMED_JSON, or INVALID_REQUEST for text that cannot be stored. Neither quotes the body,
 * which may hold secrets.
 */
export function parseJsonObject(bytes: Buffer): Record<string, unknown> {
  const text = decode(bytes);
  if (text.trim() === '') throw malformed('expected a JSON object; the body is empty');
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`expected a JSON object; found ${kindOf(value)}`);
  }
  checkNames(text);
  if (SUSPECT_ESCAPE.test(text)) checkText(value);
  return value as Record<string, unknown>;
}

const malformed = (message: string) => new CodedError('MALFORMED_JSON', message);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw malformed('expected a body in UTF-8; found bytes that are not');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /line \d+ column \d+/.exec(String(error))?.[0];
    throw malformed(
      at ? `expected JSON; it breaks at ${at}` : 'expected JSON; it ends too early or is broken',
    );
  }
}

/**
 * Refuses members named twice and `__proto__`. The text is known to be valid JSON, so only strings and brackets
 * need a look: one pass, about as fast as JSON.parse itself.
 */
function checkNames(text: string): void {
  const open: (Set<string> | null)[] = [];
  let nameIsNext = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
        open.push(new Set());
        nameIsNext = true;
        break;
      case 0x5b: // [
        open.push(null);
        nameIsNext = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        nameIsNext = false;
        break;
      case 0x2c: // ,
        nameIsNext = open.at(-1) !== null;
        break;
      case 0x22: {
        const end = endOfString(text, i);
        if (nameIsNext) checkName(text.slice(i, end + 1), open.at(-1));
        nameIsNext = false;
        i = end;
      }
    }
  }
}

function checkName(quoted: string, seen: Set<string> | null | undefined): void {
  const name: string = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
  const shown = JSON.stringify(name.slice(0, 100));
  if (name === '__proto__') throw malformed(`expected members of the schema; found ${shown}`);
  if (seen?.has(name)) throw malformed(`expected each member once; found ${shown} twice in one object`);
  seen?.add(name);
}

/** The place of the quote that ends the string whose opening quote is at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === 0x5c) before--;
    if ((end - before) % 2 === 1) return end;
  }
}

/** Walks the value without recursion: a body can be nested deeper than the stack. */
function checkText(root: object): void {
  const faults: Fault[] = [];
  const rest: { value: object; path: string }[] = [{ value: root, path: '' }];
  for (let next = rest.pop(); next && faults.length < 20; next = rest.pop()) {
    for (const [name, value] of Object.entries(next.value)) {
      const path = next.path === '' ? name : `${next.path}.${name}`;
      const wrong =
        faultOf(name, false) ?? (typeof value === 'string' ? faultOf(value, mayHoldNul(path)) : null);
      if (wrong)
        faults.push({ path: path.slice(0, 200).toWellFormed().replaceAll('\0', '\\0'), message: wrong });
      if (typeof value === 'object' && value !== null) rest.push({ value, path: path.slice(0, 200) });
    }
  }
  if (faults.length > 0) {
    throw new CodedError('INVALID_REQUEST', `${faults[0]?.path}: ${faults[0]?.message}`, { faults });
  }
}

const mayHoldNul = (path: string) => /^files\.\d+\.content$/.test(path);

function faultOf(text: string, nulIsFine: boolean): string | null {
  if (!text.isWellFormed()) return 'expected Unicode text; found half of a surrogate pair';
  if (!nulIsFine && text.includes('\0')) return 'expected text without NUL';
  return null;
}
