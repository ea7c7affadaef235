import { context } from './context/context.ts';
import { desktop } from './desktop.ts';
import { exec } from './exec.ts';
import { kernel } from './kernel.ts';
import type { Row } from './row.ts';
import { sandboxIdle } from './sandbox-idle.ts';
import { sandboxSoak } from './sandbox-soak.ts';
import { sandboxStart } from './sandbox-start.ts';
import { schedule } from './schedule.ts';
import { soak } from './soak.ts';
import { status } from './status.ts';
import { step } from './step.ts';
import { formatTable, writeTable } from './table.ts';
import { throughput } from './throughput.ts';

const BENCHES: Record<string, () => Promise<Row[]>> = {
  'sandbox-start': sandboxStart,
  'sandbox-soak': sandboxSoak,
  'sandbox-idle': sandboxIdle,
  exec,
  kernel,
  desktop,
  throughput,
  schedule,
  status,
  step,
  soak,
};

/** Benches with a table of their own. */
const OTHERS: Record<string, (write: boolean) => Promise<void>> = { context };
const NAMES = [...Object.keys(BENCHES), ...Object.keys(OTHERS)];

const flags = process.argv.slice(2).filter((word) => word.startsWith('-'));
const names = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const unknown = [
  ...names.filter((name) => !NAMES.includes(name)),
  ...flags.filter((flag) => flag !== '--write'),
];
if (unknown.length > 0) {
  process.stderr.write(`Expected names of ${NAMES.join(', ')}, and --write; found ${unknown.join(' ')}\n`);
  process.exit(2);
}

const write = flags.includes('--write');
const rows: Row[] = [];
for (const name of names.length > 0 ? names : NAMES) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...((await BENCHES[name]?.()) ?? []));
  await OTHERS[name]?.(write);
}
if (rows.length > 0) {
  const table = formatTable(rows);
  process.stdout.write(`${table}\n`);
  if (write) await writeTable(table);
}
