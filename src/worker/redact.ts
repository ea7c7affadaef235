import { createFinder, type Finder, SHORTEST_PATTERN } from './find-patterns.ts';

/** Keeps the values of secrets out of text and byte streams. */
export interface Redactor {
  /** The text with every secret replaced by `[secret NAME]`. */
  text(text: string): string;
  /** A value of plain JSON with every string in it, names of members included, gone through `text`. */
  json<T>(value: T): T;
  /** A redactor of a stream: secrets that are cut by the borders of its pieces are found too. */
  stream(): StreamRedactor;
}

export interface StreamRedactor {
  /** What may be shown of the stream so far; a tail that may be the start of a secret is held back. */
  push(bytes: Buffer): Buffer;
  /** The rest, once the stream has ended. */
  end(): Buffer;
}

/** A shorter piece of base64 is found in unrelated text too often. */
const SHORTEST_ENCODED = 6;
/** Where `base64` breaks its lines. */
const BASE64_LINE = 76;
/** A line of a secret of several lines (a private key) that is worth hiding on its own. */
const SHORTEST_LINE = 12;

/**
 * A redactor of these secrets (name to value), also in base64 at every alignment, in hex, URL-encoded and JSON-escaped.
 */
export function createRedactor(secrets: Record<string, string>): Redactor {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(secrets)) {
    for (const form of forms(value)) if (!names.has(form)) names.set(form, name);
  }
  if (names.size === 0) return NOTHING_SECRET;
  const finder = createFinder([...names.keys()]);
  function replace(bytes: string): string {
    let shown = '';
    let end = 0;
    for (const match of finder.matches(bytes)) {
      shown += `${bytes.slice(end, match.start)}[secret ${names.get(match.pattern)}]`;
      end = match.end;
    }
    return end === 0 ? bytes : shown + bytes.slice(end);
  }
  function text(given: string): string {
    const bytes = toBytes(given);
    const redacted = replace(bytes);
    return redacted === bytes ? given : Buffer.from(redacted, 'latin1').toString();
  }
  function json<T>(value: T): T {
    return redactJson(value, text) as T;
  }
  return { text, json, stream: () => redactStream(replace, finder) };
}

function redactStream(replace: (bytes: string) => string, finder: Finder): StreamRedactor {
  let held = '';
  return {
    push(bytes) {
      const text = held + bytes.toString('latin1');
      let end = finder.tailStart(text);
      // A secret found whole is never cut: with the bytes to come it may turn out to be the start of a longer one.
      if (end < text.length) {
        for (const match of finder.matches(text)) if (match.start < end && match.end > end) end = match.start;
      }
      held = text.slice(end);
      return Buffer.from(replace(text.slice(0, end)), 'latin1');
    },
    end() {
      const rest = Buffer.from(replace(held), 'latin1');
      held = '';
      return rest;
    },
  };
}

/** Bytes as a string with one character each, so that patterns are the same in text and in streams. */
const toBytes = (text: string): string => Buffer.from(text).toString('latin1');

function forms(value: string): string[] {
  const encoded = [
    encodeURIComponent(value),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('hex').toUpperCase(),
    ...base64Forms(Buffer.from(value)),
    ...base64Lines(Buffer.from(value)),
  ];
  const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
  return [value, ...encoded.filter((form) => form.length >= SHORTEST_ENCODED), ...lines]
    .map(toBytes)
    .filter((form) => form.length >= SHORTEST_PATTERN);
}

/**
 * Base64 depends on where in the encoded text the secret starts: for each of the three alignments,
 * the characters that the secret alone determines.
 */
function base64Forms(value: Buffer): string[] {
  const found: string[] = [];
  for (const before of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(before), value]).toString('base64url');
    const start = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + value.length) * 8) / 6);
    const piece = whole.slice(start, end);
    found.push(piece, piece.replaceAll('-', '+').replaceAll('_', '/'));
  }
  return found;
}

/** A secret that is too long for one line of base64, as `base64` prints it. */
function base64Lines(value: Buffer): string[] {
  const whole = value.toString('base64');
  return whole.length > BASE64_LINE ? (whole.match(new RegExp(`.{1,${BASE64_LINE}}`, 'g')) ?? []) : [];
}

function redactJson(value: unknown, text: (text: string) => string): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item) => redactJson(item, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [text(name), redactJson(member, text)]),
  );
}

const NOTHING_SECRET: Redactor = {
  text: (text) => text,
  json: (value) => value,
  stream: () => ({ push: (bytes) => bytes, end: () => Buffer.alloc(0) }),
};
