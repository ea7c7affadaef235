import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { newId } from '../../src/protocol/ids.ts';
import { cancelJob } from '../../src/store/cancel-job.ts';
import { notifyJob } from '../../src/store/notify.ts';
import { keepSandbox } from '../../src/store/sandbox-leases.ts';
import { registerWorker, removeWorker } from '../../src/store/workers.ts';
import { testSpec } from '../support/sandbox.ts';
import { runbook, startTestServer, type TestServer } from '../support/server.ts';
import { dataFolder, spawnServer } from '../support/server-process.ts';

type Answer = Record<string, unknown> & { status: number; sandbox_id: string };

async function call(
  url: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ code: number; body: Answer }> {
  const response = await fetch(`${url}${path}`, {
    method,
    signal: AbortSignal.timeout(20_000),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { code: response.status, body: text ? JSON.parse(text) : {} };
}

async function make(url: string, body: object = {}): Promise<string> {
  const made = await call(url, 'POST', '/sandboxes', body);
  expect(made).toMatchObject({ code: 201, body: { status: 'running', error: null } });
  return made.body.sandbox_id;
}
const exec = (url: string, id: string, command: string) => call(url, 'POST', `/exec/${id}`, { command });
const gone = (server: TestServer) =>
  vi.waitFor(async () => expect(await server.sandboxes()).toEqual([]), { timeout: 10_000 });

test('a sandbox without an agent: commands, files, a terminal, a port; and its end', async () => {
  const server = await startTestServer();
  const { url } = server;
  const id = await make(url, {
    files: [{ path: 'in.txt', content: 'given' }],
    env: { GREETING: 'hi' },
    secrets: { TOKEN: 'very-secret' },
    labels: { who: 'me' },
  });

  // Commands.
  expect((await exec(url, id, 'cat in.txt; echo " $GREETING $TOKEN" >&2; exit 3')).body).toMatchObject({
    exit_code: 3,
    stdout: 'given',
    stderr: ' hi very-secret\n',
    truncated: false,
  });
  expect(await call(url, 'POST', `/exec/${id}`, { argv: ['nothing-of-that-name'] })).toMatchObject({
    code: 404,
    body: { code: 'COMMAND_NOT_FOUND' },
  });
  expect((await call(url, 'POST', `/exec/${id}`, { command: 'cat', stdin: 'typed' })).body.stdout).toBe(
    'typed',
  );
  const late = await call(url, 'POST', `/exec/${id}`, { command: 'sleep 60', timeout_s: 1 });
  expect(late.body).toMatchObject({ timed_out: true });
  expect((await exec(url, id, 'head -c 3000000 /dev/zero | tr "\\0" x')).body).toMatchObject({
    truncated: true,
  });

  // As it comes: the first line is there while the command still waits.
  const stream = await fetch(`${url}/exec/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
    body: JSON.stringify({ command: 'echo first; until [ -e go ]; do sleep 0.05; done; echo second >&2' }),
  });
  const lines: string[] = [];
  for await (const bytes of stream.body ?? []) {
    lines.push(...new TextDecoder().decode(bytes).trim().split('\n'));
    if (lines.length === 1) await call(url, 'PUT', `/files/${id}/go`);
  }
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { type: 'stdout', text: 'first\n' },
    { type: 'stderr', text: 'second\n' },
    { type: 'ended', exit_code: 0 },
  ]);

  // A client that goes ends its command.
  const leaving = new AbortController();
  const left = fetch(`${url}/exec/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ command: 'sleep 4711' }),
    signal: leaving.signal,
  }).catch(() => {});
  const running = async () => (await exec(url, id, 'pgrep -fc "^sleep 4711" || true')).body.stdout;
  await vi.waitFor(async () => expect(await running()).toBe('1\n'), 5_000);
  leaving.abort();
  await left;
  await vi.waitFor(async () => expect(await running()).toBe('0\n'), 5_000);

  // Files, a terminal and a port, by the calls of any live sandbox.
  await call(url, 'PUT', `/files/${id}/page/index.html`);
  expect((await call(url, 'GET', `/files/${id}/page`)).body.entries).toHaveLength(1);
  const terminal = new WebSocket(`${url.replace('http', 'ws')}/terminal/${id}`);
  const [opened] = await once(terminal, 'message');
  expect(JSON.parse(opened.toString())).toMatchObject({ type: 'opened' });
  terminal.terminate();
  void exec(url, id, 'python3 -m http.server 8080 --bind 127.0.0.1').catch(() => {});
  await vi.waitFor(async () => {
    expect((await fetch(`${url}/ports/${id}/8080/page/`)).status).toBe(200);
  }, 10_000);

  // It is no job, and a job is none.
  expect((await call(url, 'GET', '/jobs')).body.jobs).toEqual([]);
  expect((await call(url, 'GET', '/sandboxes')).body.sandboxes).toMatchObject([
    { sandbox_id: id, status: 'running', labels: { who: 'me' } },
  ]);
  expect(JSON.stringify((await call(url, 'GET', `/job/${id}`)).body)).not.toContain('very-secret');
  const job = await server.schedule({ prompt: runbook('true'), agent: 'runbook' });
  expect(await call(url, 'GET', `/sandboxes/${job}`)).toMatchObject({
    code: 404,
    body: { code: 'SANDBOX_NOT_FOUND' },
  });

  // Its end.
  expect((await call(url, 'DELETE', `/sandboxes/${id}`)).code).toBe(204);
  expect((await call(url, 'DELETE', `/sandboxes/${id}`)).code).toBe(204);
  await gone(server);
  expect((await call(url, 'GET', `/sandboxes/${id}`)).body).toMatchObject({ status: 'ended', expires: null });
  expect(await exec(url, id, 'true')).toMatchObject({ code: 409, body: { code: 'JOB_ENDED' } });
  expect((await call(url, 'GET', '/sandboxes')).body.sandboxes).toEqual([]);
  expect((await call(url, 'GET', '/sandboxes?all=1')).body.sandboxes).toHaveLength(1);
});

test('it takes no place of a job, and there are only so many', async () => {
  const server = await startTestServer({ WORKER_CONCURRENCY: '1', MAX_SANDBOXES: '2' });
  await make(server.url);
  await make(server.url);
  expect(await call(server.url, 'POST', '/sandboxes', {})).toMatchObject({
    code: 429,
    body: { code: 'TOO_MANY_SANDBOXES' },
  });
  const { status } = await server.run({ prompt: runbook('true'), agent: 'runbook' });
  expect(status.status).toBe('complete');
});

test('it ends when nobody has used it, each use puts that off, and what it held is kept', async () => {
  const server = await startTestServer();
  const { url } = server;
  const id = await make(url, { idle_s: 10 });
  await exec(url, id, 'echo made > kept.txt');
  const before = (await call(url, 'GET', `/sandboxes/${id}`)).body;
  const longer = await call(url, 'POST', `/sandboxes/${id}/keep`, { idle_s: 3_600 });
  expect(longer.body.idle_s).toBe(3_600);
  expect(Date.parse(String(longer.body.expires))).toBeGreaterThan(
    Date.parse(String(before.expires)) + 1_000_000,
  );
  // As if the time had passed.
  await server.store.db.updateTable('sandbox_leases').set({ expires: new Date() }).execute();
  await notifyJob(server.store.db, id);
  await gone(server);
  await vi.waitFor(async () => {
    expect((await call(url, 'GET', `/sandboxes/${id}`)).body.status).toBe('ended');
  }, 10_000);
  expect(await (await fetch(`${url}/files/${id}/kept.txt`)).text()).toBe('made\n');
  await keepSandbox(server.store, id);
  expect((await call(url, 'POST', `/sandboxes/${id}/keep`, {})).body.code).toBe('JOB_ENDED');
}, 120_000);

test('one that is deleted just as the server stops leaves nothing', async () => {
  const server = await startTestServer();
  const id = await make(server.url);
  await cancelJob(server.store, id);
  await server.server.worker.stop(0);
  expect(await server.sandboxes()).toEqual([]);
});

test('one that nobody claims goes when the server stops', async () => {
  const server = await startTestServer();
  const { driver, store } = server.server;
  const worker = newId();
  await registerWorker(store, worker, {});
  await driver.create(testSpec({ installation: store.installation, worker }));
  await removeWorker(store, worker);
  await server.server.worker.stop(0);
  expect(await server.sandboxes()).toEqual([]);
});

test('it outlives a killed server, with what is in it', async () => {
  const folder = await dataFolder();
  const first = await spawnServer(folder);
  const id = await make(first.url);
  await exec(first.url, id, 'echo before > file; (sleep 3600 &)');
  await first.end('SIGKILL');
  const second = await spawnServer(folder);
  await vi.waitFor(
    async () =>
      expect((await exec(second.url, id, 'cat file; pgrep -c sleep')).body.stdout).toBe('before\n1\n'),
    30_000,
  );
  expect((await call(second.url, 'GET', `/sandboxes/${id}`)).body.status).toBe('running');
  await call(second.url, 'DELETE', `/sandboxes/${id}`);
  await vi.waitFor(async () => expect((await exec(second.url, id, 'true')).body.code).toBe('JOB_ENDED'));
  await second.end('SIGTERM');
}, 120_000);

test.each([
  [{ idle_s: 1 }, 422, 'INVALID_REQUEST'],
  [{ lifetime_s: 31_000_000 }, 422, 'LIMIT_ABOVE_CEILING'],
  [{ prompt: 'x' }, 422, 'INVALID_REQUEST'],
  [{ limits: { memory_mb: 10_000_000 } }, 422, 'INVALID_REQUEST'],
  [{ env: { A: '1' }, secrets: { A: 'same' } }, 422, 'INVALID_REQUEST'],
])('refuses %j', async (body, status, code) => {
  const server = await startTestServer({ WORKER_CONCURRENCY: '0' });
  expect(await call(server.url, 'POST', '/sandboxes', body)).toMatchObject({ code: status, body: { code } });
});
