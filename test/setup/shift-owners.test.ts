import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shiftOwners } from '../../tools/setup/image/shift-owners.ts';

const BY = 1_900_000_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-test-'));
  writeFileSync(join(folder, 'short'), 'short');
  // Too long for a header: tar gives it an entry of its own.
  writeFileSync(join(folder, 'n'.repeat(150)), 'long');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tarball = (owner: number): Buffer =>
  execFileSync('tar', [
    '-c',
    '--format=gnu',
    '--sort=name',
    `--owner=:${owner}`,
    `--group=:${owner}`,
    '-C',
    folder,
    '.',
  ]);
const shifted = (bytes: Buffer, by: number): Promise<Buffer> =>
  buffer(shiftOwners(Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]), by));
const listed = (bytes: Buffer): string[] =>
  execFileSync('tar', ['-tv', '--numeric-owner'], { input: bytes }).toString().trim().split('\n');

it.each([
  ['up', 1000, BY, 1000 + BY],
  ['down', 1000 + BY, -BY, 1000],
])('moves every owner %s, of long names as well', async (_way, from, by, to) => {
  const entries = listed(await shifted(tarball(from), by));
  expect(entries).toHaveLength(3);
  for (const entry of entries) expect(entry).toContain(` ${to}/${to} `);
  expect(entries.map((entry) => entry.slice(-5))).toContain('nnnnn');
});
