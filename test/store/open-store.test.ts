import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { checkStore } from '../../src/store/check-store.ts';
import { countJobs } from '../../src/store/count-jobs.ts';
import { openStore } from '../../src/store/open-store.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { schedule } from './jobs.ts';

const log = pino({ level: 'silent' });
let dataDir: string;
let database: Awaited<ReturnType<typeof createEmptyDatabase>>;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'agent-test-'));
  database = await createEmptyDatabase();
});
afterEach(async () => {
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

test('processes that open an empty database at once make its tables once, and share it', async () => {
  const config = readConfig({ DATA_DIR: dataDir, DATABASE_URL: database.url });
  const stores = await Promise.all([1, 2, 3].map(() => openStore(config, log)));
  try {
    expect(new Set(stores.map(({ installation }) => installation)).size).toBe(1);
    for (const store of stores) await schedule(store);
    for (const store of stores) {
      expect(await checkStore(store)).toMatchObject({ ready: true });
      expect(await countJobs(store)).toMatchObject({ scheduled: 3, running: 0, complete: 0 });
    }
  } finally {
    for (const store of stores) await store.close();
  }
});

test('a database that a newer program has changed is refused', async () => {
  const config = readConfig({ DATA_DIR: dataDir, DATABASE_URL: database.url });
  const store = await openStore(config, log);
  await sql`insert into kysely_migration (name, timestamp) values ('9999_later', '')`.execute(store.db);
  await store.close();
  await expect(openStore(config, log)).rejects.toThrow(/9999_later/);
});

test('a database that is not there is told as such', async () => {
  const nowhere = readConfig({ DATA_DIR: dataDir, DATABASE_URL: 'postgres://agent@127.0.0.1:1/none' });
  await expect(openStore(nowhere, log)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('what a closed store is asked fails at once, and so does its check', async () => {
  const store = await openStore(readConfig({ DATA_DIR: dataDir, DATABASE_URL: database.url }), log);
  await store.close();
  await expect(schedule(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await checkStore(store)).toMatchObject({ ready: false });
});
