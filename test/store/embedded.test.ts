import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { ServerRunning } from '../../src/store/embedded/embedded-error.ts';
import { isAlive, startTime } from '../../src/store/embedded/processes.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../src/store/embedded/start-embedded.ts';
import { getJob } from '../../src/store/get-job.ts';
import { openStore } from '../../src/store/open-store.ts';
import { schedule, take } from './jobs.ts';

const log = pino({ level: 'silent' });
const root = process.getuid?.() === 0;

let base: string;
let dataDir: string;
let template: string;
const owners: ChildProcess[] = [];
beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), 'agent-test-'));
  await (await startEmbedded({ dataDir: template, log })).stop();
});
afterAll(() => rm(template, { recursive: true, force: true }));
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'agent-test-'));
  dataDir = join(base, 'data');
  // One that is made already saves each test some seconds.
  execFileSync('cp', ['-a', template, dataDir]);
});
afterEach(async () => {
  for (const owner of owners.splice(0)) await kill(owner);
  // Adopts what a killed owner left, so that it can be stopped.
  if (await stat(join(dataDir, 'postgres', 'postmaster.pid')).catch(() => null)) {
    await (await startEmbedded({ dataDir, log })).stop();
  }
  await rm(base, { recursive: true, force: true });
});

interface Told {
  host: string;
  port: number;
  user: string;
  database: string;
  pid: number;
  adopted: boolean;
}

/** Starts the server in a process that can be killed. */
async function startOwner(): Promise<{ owner: ChildProcess; told: Told }> {
  const script = join(import.meta.dirname, 'embedded-owner.ts');
  const owner = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  owners.push(owner);
  if (!owner.stdout) throw new Error('expected the output of the owner');
  const [line] = await once(owner.stdout.setEncoding('utf8'), 'data');
  return { owner, told: JSON.parse(line) as Told };
}

async function kill(owner: ChildProcess): Promise<void> {
  if (owner.exitCode !== null || owner.signalCode !== null) return;
  const gone = once(owner, 'exit');
  owner.kill('SIGKILL');
  await gone;
}

async function query(connection: EmbeddedPostgres['connection'] | Told, sql: string) {
  const { host, port, user, database } = connection;
  const client = new pg.Client({ host, port, user, database });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('it listens on a socket alone, in a folder closed to others, with checksums, and leaves nothing when it stops', async () => {
  await rm(dataDir, { recursive: true });
  const server = await startEmbedded({ dataDir, log });
  const { host } = server.connection;
  const settings = `select name, setting from pg_settings
    where name in ('listen_addresses', 'fsync', 'data_checksums', 'server_encoding', 'full_page_writes') order by name`;
  expect(
    Object.fromEntries((await query(server.connection, settings)).map((row) => [row.name, row.setting])),
  ).toEqual({
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    listen_addresses: '',
    server_encoding: 'UTF8',
  });
  expect((await stat(host)).mode & 0o777).toBe(0o700);
  expect((await stat(join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
  expect(host.length).toBeLessThan(90);
  expect(server.adopted).toBe(false);
  const pid = server.pid();
  await server.stop();
  expect(isAlive(pid)).toBe(false);
  await expect(stat(host)).rejects.toThrow('ENOENT');
  expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log']);

  const again = await startEmbedded({ dataDir, log });
  expect(await query(again.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
  await again.stop();
});

test.runIf(root)(
  'as root it runs as another user, also below folders that this user cannot enter',
  async () => {
    await chmod(base, 0o700);
    const server = await startEmbedded({ dataDir, log });
    try {
      const status = await readFile(`/proc/${server.pid()}/status`, 'utf8');
      expect(status).not.toMatch(/^Uid:\s+0\b/m);
      expect(status).not.toMatch(/^Gid:\s+0\b/m);
      await query(server.connection, 'create table t as select generate_series(1, 1000) as n');
      const others = execFileSync('sh', ['-c', 'ls "$1" 2>&1 || true', 'sh', server.connection.host], {
        uid: 65_533,
        gid: 65_533,
      });
      expect(others.toString()).toMatch(/Permission denied/);
    } finally {
      await server.stop();
    }
  },
);

test('after kill -9 of its owner it lives on and is adopted, with all that was committed', async () => {
  const { owner, told } = await startOwner();
  await query(told, 'create table kept as select 42 as n');
  await kill(owner);
  expect(isAlive(told.pid)).toBe(true);
  const server = await startEmbedded({ dataDir, log });
  try {
    expect(server.adopted).toBe(true);
    expect(server.pid()).toBe(told.pid);
    expect(await query(server.connection, 'select n from kept')).toEqual([{ n: 42 }]);
  } finally {
    await server.stop();
  }
  // Its parent is gone, so init has to take note of its end.
  await vi.waitFor(() => expect(isAlive(told.pid)).toBe(false), { timeout: 10_000 });
});

test('after kill -9 of both it recovers, with all that was committed', async () => {
  const { owner, told } = await startOwner();
  await query(told, 'create table kept as select 42 as n');
  await kill(owner);
  process.kill(told.pid, 'SIGKILL');
  const server = await startEmbedded({ dataDir, log });
  try {
    expect(server.adopted).toBe(false);
    expect(await query(server.connection, 'select n from kept')).toEqual([{ n: 42 }]);
    await expect(stat(told.host)).rejects.toThrow('ENOENT');
  } finally {
    await server.stop();
  }
});

test('killed under its owner it is started again on the same socket', async () => {
  const server = await startEmbedded({ dataDir, log });
  try {
    await query(server.connection, 'create table kept as select 42 as n');
    const before = server.pid();
    process.kill(before, 'SIGKILL');
    const rows = await vi.waitFor(() => query(server.connection, 'select n from kept'), { timeout: 20_000 });
    expect(rows).toEqual([{ n: 42 }]);
    await vi.waitFor(() => expect(server.pid()).not.toBe(before));
  } finally {
    await server.stop();
  }
});

test('a second server on the folder is refused, and told which process has it', async () => {
  const { owner, told } = await startOwner();
  const refused = startEmbedded({ dataDir, log });
  await expect(refused).rejects.toBeInstanceOf(ServerRunning);
  await expect(refused).rejects.toThrow(`process ${owner.pid} is one`);
  expect(await query(told, 'select 1 as one')).toEqual([{ one: 1 }]);

  const gone = once(owner, 'exit');
  owner.kill('SIGTERM');
  await gone;
  const server = await startEmbedded({ dataDir, log });
  // The same process, too.
  await expect(startEmbedded({ dataDir, log })).rejects.toBeInstanceOf(ServerRunning);
  await server.stop();
});

test('of many that start at once exactly one gets the folder', async () => {
  // What a killed process left, with the id of one that lives now.
  await writeFile(join(dataDir, 'server.lock'), JSON.stringify({ pid: process.ppid, started: '1' }));
  const script = join(import.meta.dirname, 'embedded-owner.ts');
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] });
    owners.push(child);
    return child;
  });
  const outcomes = await Promise.all(
    children.map(async (child) => {
      const refused = text(child.stderr);
      const [outcome] = await Promise.race([
        once(child.stdout, 'data'),
        refused.then((message) => [message]),
      ]);
      return String(outcome);
    }),
  );
  expect(outcomes.filter((outcome) => outcome.includes('"pid"'))).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome.includes('ServerRunning'))).toHaveLength(3);
});

test('a server that was killed and that nobody reaps holds its folder no longer', async () => {
  const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 100'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  owners.push(parent);
  const [printed] = await once(parent.stdout as Readable, 'data');
  const pid = Number(String(printed));
  const started = await startTime(pid);
  expect(started).not.toBeNull();
  await writeFile(join(dataDir, 'server.lock'), JSON.stringify({ pid, started }));
  await expect(startEmbedded({ dataDir, log })).rejects.toBeInstanceOf(ServerRunning);
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(') Z '));
  const server = await startEmbedded({ dataDir, log });
  await server.stop();
});

test('a data folder of another version, and one that is no data folder, are refused with what to do', async () => {
  const folder = join(dataDir, 'postgres');
  await rm(join(folder, 'PG_VERSION'));
  await expect(startEmbedded({ dataDir, log })).rejects.toThrow(/no PG_VERSION in it/);
  await writeFile(join(folder, 'PG_VERSION'), '9\n');
  await expect(startEmbedded({ dataDir, log })).rejects.toThrow(
    /expected PostgreSQL 9, which made the data folder/,
  );
});

test('a whole store opens on it, comes back after a crash of the database, and finds its jobs again', async () => {
  const config = readConfig({ DATA_DIR: dataDir });
  const store = await openStore(config, log);
  const told = vi.fn();
  let id = '';
  try {
    id = (await schedule(store)).id;
    await take(store);
    store.notifications.subscribe(id, told);
    const pid = Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    const failure = await vi.waitFor(
      async () => {
        // Until the crash is seen, calls are still answered.
        const error = await getJob(store, id).then(
          () => null,
          (why) => why,
        );
        expect(error).not.toBeNull();
        return error;
      },
      { timeout: 5_000, interval: 2 },
    );
    expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503 });
    await vi.waitFor(async () => expect((await getJob(store, id))?.status).toBe('running'), {
      timeout: 20_000,
    });
    await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 20_000 });
    await vi.waitFor(() => expect(store.notifications.connected()).toBe(true), { timeout: 20_000 });
    await schedule(store);
  } finally {
    await store.close();
  }
  const again = await openStore(config, log);
  try {
    // Held by nobody now: free at once.
    const { job } = await take(again);
    expect(job).toMatchObject({ id, attempt: 2 });
  } finally {
    await again.close();
  }
});
