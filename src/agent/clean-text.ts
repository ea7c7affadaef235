import { stripVTControlCharacters } from 'node:util';

/**
 * Output of a program as a reader would see it: no colours and cursor moves, of a line that was written over (progress
 * bars) what it came to, no other control characters than tab and newline.
 */
export function cleanText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) =>
      line.includes('\r') ? (line.split('\r').findLast((part) => part.trim() !== '') ?? '') : line,
    )
    .join('\n')
    .replaceAll(CONTROL, '');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff]/g;
