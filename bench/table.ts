import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Row } from './row.ts';

const TABLE = join(import.meta.dirname, '../docs/benchmarks.md');
const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** The rows as a Markdown table. */
export function formatTable(lines: readonly Row[]): string {
  const cells = [
    ['what', 'p50', 'p99', 'unit', 'note'],
    ...lines.map(({ name, p50, p99, unit, note }) => [name, figure(p50), figure(p99), unit, note.trim()]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const text = cells.map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`);
  return [text[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...text.slice(1)].join(
    '\n',
  );
}

/** The note's words stay; everything from its first table on is measured anew. */
export async function writeTable(table: string): Promise<void> {
  const words = await readFile(TABLE, 'utf8').catch(() => '# Benchmarks\n');
  const kept = words.split('\n| what')[0] ?? '';
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}`;
  const when = `Measured ${new Date().toISOString().slice(0, 10)} on ${machine}.`;
  const before = kept.replace(/\nMeasured \d.*\n*$/s, '').trimEnd();
  await writeFile(TABLE, `${before}\n\n${when}\n\n${table}\n`);
}
