import { z } from 'zod';
import { WORKSPACE } from '../../protocol/job.ts';
import { cleanText } from '../clean-text.ts';
import { defineTool } from '../tool.ts';

const SHOWN_CHARACTERS = 30_000;
const TIMEOUT_MS = 60_000;

export const searchFiles = defineTool({
  name: 'search_files',
  description:
    'Searches the contents of files with a regular expression (ripgrep), or with files_only for the files alone; gives path:line:text. glob narrows it to file names (*.ts, !test/**), context shows lines around each match. What .gitignore names, hidden and binary files are left out unless all is set. With an empty pattern and files_only it lists files by glob. At most 30,000 characters are shown: narrow the pattern rather than read through them.',
  input: z.strictObject({
    pattern: z.string().max(10_000),
    path: z.string().min(1).max(4_096).optional(),
    glob: z.string().min(1).max(1_000).optional(),
    context: z.int().min(0).max(20).optional(),
    ignore_case: z.boolean().optional(),
    files_only: z.boolean().optional(),
    all: z.boolean().optional(),
  }),
  repeatable: true,
  summary: ({ pattern, path = '.', glob }) =>
    `search ${path}${glob ? ` (${glob})` : ''} for ${JSON.stringify(pattern)}`,
  async run(input, { sandbox, signal }) {
    const full = new AbortController();
    let found = '';
    let fault = '';
    const ended = await sandbox
      .exec(
        { argv: ripgrep(input), cwd: WORKSPACE, timeoutMs: TIMEOUT_MS },
        {
          signal: AbortSignal.any([signal, full.signal]),
          onOutput(stream, bytes) {
            if (stream === 'stderr') fault = (fault + bytes.toString()).slice(0, 2_000);
            else found += bytes.toString();
            if (found.length > SHOWN_CHARACTERS) full.abort();
          },
        },
      )
      .catch((error: unknown) => {
        signal.throwIfAborted();
        if (full.signal.aborted) return null;
        throw error;
      });
    const text = cleanText(found).replaceAll(/^\.\//gm, '').slice(0, SHOWN_CHARACTERS);
    if (ended === null || found.length > SHOWN_CHARACTERS)
      return { content: `${text.slice(0, text.lastIndexOf('\n'))}\n[there is more; narrow the search]` };
    if (ended.timed_out)
      return { content: `${text}\n[stopped after ${TIMEOUT_MS / 1_000} s; narrow the search]` };
    if (ended.exit_code === 1 && found === '') return { content: '[nothing found]' };
    if (ended.exit_code !== 0 && found === '') return { content: cleanText(fault), isError: true };
    return { content: text.trimEnd() };
  },
});

interface Search {
  pattern: string;
  path?: string | undefined;
  glob?: string | undefined;
  context?: number | undefined;
  ignore_case?: boolean | undefined;
  files_only?: boolean | undefined;
  all?: boolean | undefined;
}

function ripgrep({ pattern, path = '.', glob, context, ignore_case, files_only, all }: Search): string[] {
  const flags = ['--color=never', '--sort=path', '--max-columns=500', '--max-columns-preview'];
  if (all) flags.push('--no-ignore', '--hidden', '--glob=!.git');
  if (glob) flags.push(`--glob=${glob}`);
  if (files_only && pattern === '') return ['rg', ...flags, '--files', '--', path];
  if (files_only) flags.push('--files-with-matches');
  else flags.push('--line-number', '--no-heading', '--with-filename', `--context=${context ?? 0}`);
  if (ignore_case) flags.push('--ignore-case');
  return ['rg', ...flags, `--regexp=${pattern}`, '--', path];
}
