import { inspect } from 'node:util';

/** The method by which a value says how it is shown, as other JavaScript kernels for Jupyter have it. */
const DISPLAY = Symbol.for('Jupyter.display');
const MAX_TEXT = 1_000_000;
const IMAGES = { 'image/png': '89504e47', 'image/jpeg': 'ffd8ff' };

/** A value as it is shown: as it says itself, as the image that its bytes are, or as a REPL would. */
export async function bundle(value: unknown): Promise<Record<string, string>> {
  const own = (value as { [DISPLAY]?: unknown } | null | undefined)?.[DISPLAY];
  if (typeof own === 'function') {
    const data: unknown = await own.call(value);
    const entries = Object.entries(data as object).map(([type, member]) => [
      type,
      typeof member === 'string' ? member : JSON.stringify(member),
    ]);
    return Object.fromEntries(entries);
  }
  const image = value instanceof Uint8Array && imageType(value);
  if (image) return { [image]: Buffer.from(value).toString('base64') };
  return { 'text/plain': inspect(value, { maxStringLength: MAX_TEXT }).slice(0, MAX_TEXT) };
}

function imageType(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  return Object.entries(IMAGES).find(([, magic]) => start.startsWith(magic))?.[0];
}
