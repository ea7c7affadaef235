import { z } from 'zod';
import { WORKSPACE } from '../../protocol/job.ts';
import type { FileInfo } from '../../protocol/sandboxd.ts';
import { defineTool } from '../tool.ts';

const SHOWN = 500;
const LISTED = 20_000;
/** Folders that are named but not looked into: thousands of files that are nobody's work. */
const CLOSED = new Set([
  'node_modules',
  '.git',
  '__pycache__',
  '.venv',
  'venv',
  'target',
  '.cache',
  '.agent',
]);

export const listFiles = defineTool({
  name: 'list_files',
  description: `Lists what is in a folder (default /workspace) down to depth levels (default 2), folders with a trailing slash, files with their size in bytes. At most ${SHOWN} entries are shown, and ${[...CLOSED].join(', ')} are not looked into. To find files by name or content use search_files.`,
  input: z.strictObject({
    path: z.string().min(1).max(4_096).optional(),
    depth: z.int().min(1).max(10).optional(),
  }),
  repeatable: true,
  summary: ({ path = '.' }) => `list ${path}`,
  async run({ path = WORKSPACE, depth = 2 }, { sandbox, signal }) {
    const { entries, truncated } = await sandbox.list(path, { signal, depth, limit: LISTED });
    const root = entries.length > 0 ? commonRoot(path, entries) : '';
    const named = entries.map((entry) => ({ ...entry, path: entry.path.slice(root.length) }));
    const open = named.filter(
      ({ path: name }) =>
        !name
          .split('/')
          .slice(0, -1)
          .some((part) => CLOSED.has(part)),
    );
    if (open.length === 0) return { content: '[the folder is empty]' };
    const lines = open.slice(0, SHOWN).map(line);
    if (open.length > SHOWN || truncated)
      lines.push(
        `[${truncated ? 'more' : open.length - SHOWN} entries are not shown; list a folder further down]`,
      );
    return { content: lines.join('\n') };
  },
});

/** Entries may come with the folder's own path before them; the model is shown them from the folder on. */
function commonRoot(path: string, entries: FileInfo[]): string {
  const folder = path.endsWith('/') ? path : `${path}/`;
  return (
    [folder, `${WORKSPACE}/${folder}`].find((root) =>
      entries.every((entry) => entry.path.startsWith(root)),
    ) ?? ''
  );
}

function line({ path, type, size, target }: FileInfo): string {
  if (type === 'directory') return `${path}/`;
  if (type === 'symlink') return `${path} -> ${target}`;
  return type === 'file' ? `${path} ${size}` : `${path} [${type}]`;
}
