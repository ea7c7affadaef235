import { exec } from './exec.ts';
import type { Row } from './row.ts';
import { sandboxStart } from './sandbox-start.ts';
import { schedule } from './schedule.ts';
import { soak } from './soak.ts';
import { status } from './status.ts';
import { formatTable, writeTable } from './table.ts';
import { throughput } from './throughput.ts';

const BENCHES: Record<string, () => Promise<Row[]>> = {
  'sandbox-start': sandboxStart,
  exec,
  throughput,
  schedule,
  status,
  soak,
};

const flags = process.argv.slice(2).filter((word) => word.startsWith('-'));
const names = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const unknown = [
  ...names.filter((name) => !(name in BENCHES)),
  ...flags.filter((flag) => flag !== '--write'),
];
if (unknown.length > 0) {
  process.stderr.write(
    `Expected names of ${Object.keys(BENCHES).join(', ')}, and --write; found ${unknown.join(' ')}\n`,
  );
  process.exit(2);
}

const rows: Row[] = [];
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...((await BENCHES[name]?.()) ?? []));
}
const table = formatTable(rows);
process.stdout.write(`${table}\n`);
if (flags.includes('--write')) await writeTable(table);
