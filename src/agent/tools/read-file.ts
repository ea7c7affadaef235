import { z } from 'zod';
import { cleanText } from '../clean-text.ts';
import { readBytes } from '../read-bytes.ts';
import { defineTool } from '../tool.ts';

const DEFAULT_LINES = 2_000;
const SHOWN_CHARACTERS = 30_000;
const LONGEST_LINE = 2_000;
const READ_BYTES = 8 * 1024 * 1024;

export const readFile = defineTool({
  name: 'read_file',
  description: `Reads a text file, each line with its number. Paths are relative to /workspace, or absolute. Give offset (the first line, from 1) and limit (default ${DEFAULT_LINES} lines) to read a part; at most 30,000 characters are shown, and lines are cut at ${LONGEST_LINE}. The first 8 MB can be read this way; use the shell (sed, head, jq, xxd) for more and for binary files. The numbers are not part of the file: leave them out of edit_file.`,
  input: z.strictObject({
    path: z.string().min(1).max(4_096),
    offset: z.int().min(1).optional(),
    limit: z.int().min(1).optional(),
  }),
  repeatable: true,
  summary: ({ path, offset }) => `read ${path}${offset ? ` from line ${offset}` : ''}`,
  async run({ path, offset = 1, limit = DEFAULT_LINES }, { sandbox, signal }) {
    const { info, bytes } = await readBytes(sandbox, path, READ_BYTES, signal);
    if (bytes.subarray(0, 8_192).includes(0))
      return {
        content: `${path} is a binary file of ${info.size} bytes; look at it with the shell (file, xxd).`,
        isError: true,
      };
    if (bytes.length === 0) return { content: '[the file is empty]' };
    const lines = bytes.toString().split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (offset > lines.length)
      return { content: `${path} has ${lines.length} lines; there is no line ${offset}.`, isError: true };
    return { content: numbered(lines, offset, limit, info.size > bytes.length) };
  },
});

function numbered(lines: string[], offset: number, limit: number, more: boolean): string {
  const shown: string[] = [];
  let characters = 0;
  for (const [at, line] of lines.slice(offset - 1, offset - 1 + limit).entries()) {
    const cut = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} [line cut]` : line;
    const text = `${String(offset + at).padStart(6)}\t${cleanText(cut.replace(/\r$/, ''))}`;
    characters += text.length + 1;
    if (characters > SHOWN_CHARACTERS && shown.length > 0) break;
    shown.push(text);
  }
  const last = offset - 1 + shown.length;
  if (last < lines.length)
    shown.push(
      `[lines ${last + 1} to ${lines.length}${more ? ' and more' : ''} follow; read on with offset ${last + 1}]`,
    );
  else if (more) shown.push('[more than 8 MB: use the shell for the rest]');
  return shown.join('\n');
}
