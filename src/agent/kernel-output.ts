import type { KernelDisplay } from '../protocol/kernel.ts';

/** How much of something that a person sees rendered is shown as its source. */
const SOURCE_CHARACTERS = 2_000;
const IMAGES = ['image/png', 'image/jpeg'];
/** What a person would rather open in a browser, by the ending of its file. */
const PAGES: Record<string, string> = { 'text/html': 'html', 'image/svg+xml': 'svg' };
const TEXTS = ['text/plain', 'text/markdown', 'text/latex', 'application/json'];
/** A text that only names what it stands for. */
const NAME_ONLY = /^<[\w.]+ object( at 0x[0-9a-f]+)?>$/;

/** One thing that code has shown, for somebody who reads text and sees images. */
export interface Shown {
  text: string;
  image: Buffer | null;
  /** To be kept as a file, by its ending. */
  page: { ending: string; source: string } | null;
}

/** The best of what a display offers in its media types. */
export function readDisplay({ data }: KernelDisplay): Shown {
  const image = IMAGES.map((type) => data[type]).find((base64) => base64 !== undefined);
  if (image !== undefined) return { text: '', image: Buffer.from(image, 'base64'), page: null };
  const type = Object.keys(PAGES).find((name) => data[name] !== undefined);
  const source = type === undefined ? undefined : data[type];
  const page = type !== undefined && source !== undefined ? { ending: PAGES[type] ?? '', source } : null;
  const text = TEXTS.map((name) => data[name]).find((each) => each !== undefined && !NAME_ONLY.test(each));
  return {
    text: text ?? page?.source.slice(0, SOURCE_CHARACTERS) ?? data['text/plain'] ?? '',
    image: null,
    page,
  };
}
