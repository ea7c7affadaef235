import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from './outcome.ts';

const PAGE = join(import.meta.dirname, '../../docs/benchmarks.md');
const START = '<!-- context -->';
const END = '<!-- /context -->';

const HEAD = [
  'window',
  'strategy',
  'steps',
  'history',
  'from the view',
  'with recall',
  'tokens sent',
  'cached',
  'cost',
  'compactions',
  'largest request',
  'refused',
];

/** The outcomes as a Markdown table. */
export function contextTable(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map((each) => [
    `${each.window / 1_000}k`,
    each.strategy,
    String(each.steps),
    millions(each.history),
    percent(each.fromView),
    percent(each.withRecall),
    millions(each.tokens),
    percent(each.cached),
    millions(each.cost),
    String(each.compactions),
    percent(each.largest),
    String(each.refused),
  ]);
  const rows = [HEAD, HEAD.map(() => '---'), ...lines];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const millions = (tokens: number): string => `${(tokens / 1e6).toFixed(2)}M`;

/** Puts the table in its place in docs/benchmarks.md. */
export async function writeContextTable(table: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [before, rest = ''] = page.split(START);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`expected ${START} and ${END} in ${PAGE}`);
  await writeFile(PAGE, `${before}${START}\n${table}\n${END}${after}`);
}
