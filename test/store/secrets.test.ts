import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { cancelJob } from '../../src/store/cancel-job.ts';
import { readSecrets } from '../../src/store/read-secrets.ts';
import { openSecretBox, secretBox } from '../../src/store/secrets.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestStore } from '../support/database.ts';
import { schedule } from './jobs.ts';

/** Every row of every table, as text. */
async function dump(store: Store): Promise<string> {
  const { rows } = await sql<{ schema: string; name: string }>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_schema in ('public', 'pgboss') and table_type = 'BASE TABLE'`.execute(store.db);
  expect(rows.map(({ name }) => name)).toContain('jobs');
  let text = '';
  for (const { schema, name } of rows) {
    const table = sql.id(schema, name);
    const found = await sql<{ row: string }>`select t::text as row from ${table} as t`.execute(store.db);
    text += found.rows.map(({ row }) => row).join('\n');
  }
  return text;
}

test('secrets lie nowhere in the clear, come back, and are gone with the end', async () => {
  const { store, close } = await openTestStore();
  try {
    const secrets = { TOKEN: 'correct-horse-battery', NAME: 'ä"\\\n€' };
    const { id } = await schedule(store, { secrets, request: { secret_names: ['TOKEN', 'NAME'] } });
    const hex = Buffer.from(secrets.TOKEN).toString('hex');
    const before = await dump(store);
    expect(before).toContain(id);
    expect(before).not.toContain(secrets.TOKEN);
    expect(before).not.toContain(hex);
    expect(await readSecrets(store, id)).toEqual(secrets);
    await cancelJob(store, id);
    expect(await readSecrets(store, id)).toEqual({});
    const { rows } = await sql`select 1 from jobs where secrets is not null`.execute(store.db);
    expect(rows).toEqual([]);
  } finally {
    await close();
  }
});

test('a box opens only its own, unchanged, for the job that they are of', () => {
  const box = secretBox(randomBytes(32));
  const sealed = box.seal('job', { A: 'b' });
  expect(box.open('job', sealed)).toEqual({ A: 'b' });
  expect(box.seal('job', { A: 'b' }).equals(sealed)).toBe(false);
  expect(() => box.open('other', sealed)).toThrow(/cannot be decrypted/);
  expect(() => secretBox(randomBytes(32)).open('job', sealed)).toThrow(/cannot be decrypted/);
  const changed = Buffer.from(sealed);
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
  expect(() => box.open('job', changed)).toThrow(/cannot be decrypted/);
  expect(() => box.open('job', Buffer.alloc(5))).toThrow(/cannot be decrypted/);
});

test('the key is made once, for its owner alone, and a broken one is not replaced', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'agent-test-'));
  try {
    const config = { DATA_DIR: dir };
    const boxes = await Promise.all(Array.from({ length: 10 }, () => openSecretBox(config)));
    const sealed = boxes[0]?.seal('job', { A: 'b' }) ?? Buffer.alloc(0);
    for (const box of boxes) expect(box.open('job', sealed)).toEqual({ A: 'b' });
    const path = join(dir, 'secrets.key');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const given = await openSecretBox({
      DATA_DIR: '/nowhere',
      SECRETS_KEY: (await readFile(path, 'utf8')).trim(),
    });
    expect(given.open('job', sealed)).toEqual({ A: 'b' });
    await writeFile(path, 'short');
    await expect(openSecretBox(config)).rejects.toThrow(/expected 32 bytes/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
