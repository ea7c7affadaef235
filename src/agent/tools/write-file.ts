import { z } from 'zod';
import { modeOf } from '../read-bytes.ts';
import { defineTool } from '../tool.ts';

export const writeFile = defineTool({
  name: 'write_file',
  description:
    'Writes a whole text file, in place of what was there; missing folders are made, the mode of an existing file is kept. Paths are relative to /workspace, or absolute. For a small change to an existing file use edit_file.',
  input: z.strictObject({
    path: z.string().min(1).max(4_096),
    content: z.string(),
    executable: z.boolean().optional(),
  }),
  summary: ({ path, content }) => `write ${path} (${Buffer.byteLength(content)} bytes)`,
  async run({ path, content, executable }, { sandbox, signal }) {
    const before = await modeOf(sandbox, path, signal);
    const mode = executable ? (before ?? 0o644) | 0o111 : before;
    const info = await sandbox.write(path, content, { signal, ...(mode !== null && { mode }) });
    return { content: `${before === null ? 'Made' : 'Replaced'} ${path}: ${info.size} bytes.` };
  },
});
