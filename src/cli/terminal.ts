import { stripVTControlCharacters, styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Where a command writes for a person. Colours only on a terminal that wants them. */
export interface Terminal {
  /** A line; without text, an empty one. */
  line(text?: string): void;
  style(style: Style, text: string): string;
}

/** A terminal over a stream such as process.stdout; NO_COLOR is honoured. */
export function createTerminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  const colours = stream.isTTY === true && !process.env.NO_COLOR;
  return {
    line: (text = '') => void stream.write(`${text}\n`),
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  };
}

/**
 * Text from a sandbox as a terminal may show it: escape sequences and control characters could do anything there.
 * Of a line that was written over again and again (a progress bar), the last state stays.
 */
export function harmless(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replace(/[^\n]*\r(?=[^\n])/g, '')
    .replace(/[\p{Cc}\p{Cf}]/gu, (char) => (char === '\n' || char === '\t' ? char : ''));
}

/** 950 ms, 3.2 s, 1 min 5 s. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** 12 B, 3.4 kB, 5.6 MB. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
