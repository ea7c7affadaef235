/** The languages that a runbook's blocks can be in, by the names that fences give them. */
const LANGUAGES = {
  bash: 'bash',
  sh: 'bash',
  shell: 'bash',
  python: 'python',
  py: 'python',
  typescript: 'typescript',
  ts: 'typescript',
  javascript: 'javascript',
  js: 'javascript',
  gui: 'gui',
} as const;
export type BlockLanguage = (typeof LANGUAGES)[keyof typeof LANGUAGES];

export interface RunbookBlock {
  /** From 1, counting the blocks that are to run. */
  number: number;
  language: BlockLanguage;
  /** The fence's `title`, else the nearest heading above, else the first line of the code. */
  title: string;
  code: string;
  /** The fence's line in the document, from 1. */
  line: number;
  /** From the fence's `timeout` (seconds, or with a unit: `90`, `90s`, `5m`); null where there is none. */
  timeoutMs: number | null;
  /** What is wrong with the fence's attributes; such a block cannot run. */
  fault: string | null;
}

/**
 * The blocks of a Markdown document that a runbook runs, in order: fenced blocks (CommonMark's ``` and ~~~) in a
 * known language, less those marked `run=false`. Fences in HTML comments do not count.
 */
export function parseRunbook(markdown: string): RunbookBlock[] {
  const blocks: RunbookBlock[] = [];
  for (const fence of fences(markdown)) {
    const [name = ''] = fence.info.split(/\s/, 1);
    const language = languageOf(name);
    const attributes = readAttributes(fence.info.slice(name.length));
    if (!language || fence.code.trim() === '' || attributes.get('run') === 'false') continue;
    const timeout = readTimeout(attributes.get('timeout'));
    blocks.push({
      number: blocks.length + 1,
      language,
      title: shorten(attributes.get('title') || fence.heading || firstLine(fence.code)),
      code: fence.code,
      line: fence.line,
      timeoutMs: typeof timeout === 'string' ? null : timeout,
      fault: typeof timeout === 'string' ? timeout : null,
    });
  }
  return blocks;
}

/** Whether a runbook of this text has anything to do. */
export const hasRunnableBlock = (markdown: string): boolean => parseRunbook(markdown).length > 0;

interface Fence {
  info: string;
  code: string;
  heading: string;
  line: number;
}

interface OpenFence extends Fence {
  indent: number;
  /** What closes it: as many of the same character, or more. */
  closing: RegExp;
  lines: string[];
}

const OPENING = /^( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$/;
const ATX_HEADING = /^ {0,3}#{1,6}(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const SETEXT_UNDERLINE = /^ {0,3}(?:=+|-+)[ \t]*$/;

function* fences(markdown: string): Generator<Fence> {
  let open: OpenFence | null = null;
  let comment = false;
  let heading = '';
  let previous = '';
  for (const [index, line] of markdown.split(/\r\n|\n|\r/).entries()) {
    if (open) {
      if (open.closing.test(line)) {
        yield { ...open, code: asCode(open.lines) };
        open = null;
      } else {
        open.lines.push(line.replace(new RegExp(`^ {0,${open.indent}}`), ''));
      }
      continue;
    }
    if (comment || /^ {0,3}<!--/.test(line)) {
      comment = !line.includes('-->');
      continue;
    }
    const [, indent = '', ticks, tickInfo, tildes, tildeInfo] = OPENING.exec(line) ?? [];
    const mark = ticks ?? tildes;
    if (mark) {
      open = {
        info: (tickInfo ?? tildeInfo ?? '').trim(),
        code: '',
        heading,
        line: index + 1,
        indent: indent.length,
        closing: new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*$`),
        lines: [],
      };
    } else if (ATX_HEADING.test(line)) {
      heading = plain(ATX_HEADING.exec(line)?.[1] ?? '');
    } else if (SETEXT_UNDERLINE.test(line) && previous.trim() !== '') {
      heading = plain(previous);
    }
    previous = line;
  }
  if (open) yield { ...open, code: asCode(open.lines) };
}

const asCode = (lines: string[]): string => (lines.length > 0 ? `${lines.join('\n')}\n` : '');

/** A heading without its Markdown and its number: `## 1. Run **all** the [tests](x)` is "Run all the tests". */
const plain = (text: string): string =>
  text
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[*`]/g, '')
    .replace(/^\s*\d+[.)]\s+/, '')
    .trim();

const firstLine = (code: string): string => code.trim().split('\n', 1)[0] ?? '';
const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

function languageOf(name: string): BlockLanguage | null {
  const key = name.toLowerCase();
  return Object.hasOwn(LANGUAGES, key) ? LANGUAGES[key as keyof typeof LANGUAGES] : null;
}

/** `title="Install it" timeout=60`: values bare or in either quotes. */
function readAttributes(text: string): Map<string, string> {
  const found = text.matchAll(/([\w-]+)=(?:"([^"]*)"|'([^']*)'|(\S+))/g);
  return new Map(
    [...found].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      double ?? single ?? bare ?? '',
    ]),
  );
}

/** Milliseconds, null for none, or what is wrong with it. */
function readTimeout(text: string | undefined): number | string | null {
  if (text === undefined) return null;
  const [, digits, unit] = /^(\d{1,7})(s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(digits) * { s: 1, m: 60, h: 3_600 }[(unit ?? 's') as 's' | 'm' | 'h'];
  return seconds > 0 ? seconds * 1_000 : `timeout: expected seconds such as 90, or 5m; found "${text}"`;
}
