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
  // The longest first: an alternation takes the first that fits.
  const patterns = [...names.keys()].sort((a, b) => b.length - a.length);
  const any = new RegExp(patterns.map(escapeRegExp).join('|'), 'g');
  const replace = (bytes: string) => bytes.replace(any, (found) => `[secret ${names.get(found)}]`);

  function text(given: string): string {
    const bytes = toBytes(given);
    const redacted = replace(bytes);
    return redacted === bytes ? given : Buffer.from(redacted, 'latin1').toString();
  }
  function json<T>(value: T): T {
    return redactJson(value, text) as T;
  }
  return { text, json, stream: () => redactStream(replace, any, patterns) };
}

function redactStream(replace: (bytes: string) => string, any: RegExp, patterns: string[]): StreamRedactor {
  const longest = patterns[0]?.length ?? 0;
  const byStart = Map.groupBy(patterns, (pattern) => pattern.charAt(0));
  let held = '';

  /** Where the tail begins that a longer stream might turn into a secret. */
  function tailStart(text: string): number {
    for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
      const candidates = byStart.get(text.charAt(at));
      if (candidates === undefined) continue;
      const tail = text.slice(at);
      if (candidates.some((pattern) => pattern.length > tail.length && pattern.startsWith(tail))) return at;
    }
    return text.length;
  }
  return {
    push(bytes) {
      const text = held + bytes.toString('latin1');
      let end = tailStart(text);
      // A secret found whole is never cut: with the bytes to come it may turn out to be the start of a longer one.
      for (const match of text.matchAll(any)) {
        if (match.index < end && match.index + match[0].length > end) end = match.index;
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

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function forms(value: string): string[] {
  const encoded = [
    encodeURIComponent(value),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('hex').toUpperCase(),
    ...base64Forms(Buffer.from(value)),
  ];
  const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
  return [value, ...encoded.filter((form) => form.length >= SHORTEST_ENCODED), ...lines]
    .filter((form) => form.length > 0)
    .map(toBytes);
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
