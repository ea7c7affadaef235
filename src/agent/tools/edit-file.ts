import { z } from 'zod';
import { closestLine } from '../closest-line.ts';
import { readBytes } from '../read-bytes.ts';
import { defineTool, type ToolResult } from '../tool.ts';

const MAX_BYTES = 8 * 1024 * 1024;

export const editFile = defineTool({
  name: 'edit_file',
  description:
    'Replaces text in an existing file. old_string must be exactly what stands in the file, whitespace and indentation included, without the line numbers of read_file, and it must stand there once: add lines around it until it does, or set replace_all to change every place. Read the file before you edit it. Line endings (CRLF) and the mode are kept.',
  input: z.strictObject({
    path: z.string().min(1).max(4_096),
    old_string: z.string().min(1),
    new_string: z.string(),
    replace_all: z.boolean().optional(),
  }),
  summary: ({ path }) => `edit ${path}`,
  async run({ path, old_string, new_string, replace_all = false }, { sandbox, signal }) {
    const { info, bytes } = await readBytes(sandbox, path, MAX_BYTES + 1, signal);
    if (bytes.length > MAX_BYTES)
      return failed(
        `${path} has ${info.size} bytes; edit_file takes files up to 8 MB. Use the shell (sed, python3).`,
      );
    const text = asText(bytes);
    if (text === null) return failed(`${path} is not text in UTF-8; edit it with the shell.`);
    const edit = inLineEndingsOf(text, old_string, new_string);
    const places = text.split(edit.from).length - 1;
    if (edit.from === edit.to) return failed('old_string and new_string are the same: nothing would change.');
    if (places === 0) return failed(`old_string is not in ${path}. ${closestLine(text, old_string)}`);
    if (places > 1 && !replace_all)
      return failed(
        `old_string stands ${places} times in ${path}, on lines ${linesOf(text, edit.from)}. Add the lines around the one you mean, or set replace_all.`,
      );
    await sandbox.write(
      path,
      text.replaceAll(edit.from, () => edit.to),
      { signal, mode: info.mode },
    );
    return {
      content: `Replaced ${places === 1 ? 'it on line' : `${places} places, on lines`} ${linesOf(text, edit.from)} of ${path}.`,
    };
  },
});

const failed = (content: string): ToolResult => ({ content, isError: true });

function asText(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Models write \n; in a file of CRLF lines that means \r\n. */
function inLineEndingsOf(text: string, from: string, to: string): { from: string; to: string } {
  if (!text.includes('\r\n')) return { from, to };
  const crlf = (value: string) => value.replaceAll(/\r?\n/g, '\r\n');
  return text.includes(from) && from.includes('\n') && !from.includes('\r')
    ? { from, to }
    : { from: crlf(from), to: crlf(to) };
}

function linesOf(text: string, part: string): string {
  const lines: number[] = [];
  let line = 1;
  let at = 0;
  for (
    let found = text.indexOf(part);
    found !== -1 && lines.length < 20;
    found = text.indexOf(part, found + part.length)
  ) {
    for (; at < found; at += 1) if (text.charCodeAt(at) === 10) line += 1;
    lines.push(line);
  }
  return lines.join(', ');
}
