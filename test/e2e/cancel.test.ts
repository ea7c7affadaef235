import { expect, test, vi } from 'vitest';
import { runbook, startTestServer, type TestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

/** The promise of the API: the sandbox and every process in it are gone within 5 s. */
const GONE_MS = 5_000;

/** Cancels the job; resolves when no sandbox is on the engine any more, with how long that took. */
async function cancelAndWait(server: TestServer, id: string): Promise<number> {
  const start = performance.now();
  await server.client.cancel(id);
  expect((await server.client.status(id)).status).toBe('cancelled');
  await vi.waitFor(async () => expect(await server.sandboxes()).toEqual([]), {
    timeout: 15_000,
    interval: 50,
  });
  return performance.now() - start;
}

test('in the queue: it never starts', async () => {
  const server = await startTestServer({ WORKER_CONCURRENCY: '1' });
  const first = await server.schedule({ prompt: runbook('sleep 100') });
  await server.event(first, 'block.started');
  const second = await server.schedule({ prompt: runbook('true') });
  await server.client.cancel(second);
  expect((await server.ended(second)).map(({ type }) => type)).toEqual(['job.scheduled', 'job.ended']);
  await server.client.cancel(first);
  await server.ended(first);
  expect(await server.job(second)).toMatchObject({ status: 'cancelled', attempt: 0, output: null });
});

test('while its sandbox starts', async () => {
  const server = await startTestServer();
  const id = await server.schedule({ prompt: runbook('true') });
  await server.event(id, 'job.started');
  expect(await cancelAndWait(server, id)).toBeLessThan(GONE_MS);
  // Whatever was under way then comes to nothing.
  await vi.waitFor(() => expect(server.server.worker.state().jobs_claimed).toBe(0));
  expect(await server.sandboxes()).toEqual([]);
});

test('while it runs, with background processes: what it had written and printed is there', async () => {
  const server = await startTestServer();
  const id = await server.schedule({
    prompt: runbook('echo early > early.txt; (setsid sleep 1000 &) ; sleep 1000 & echo printed; sleep 1000'),
  });
  await vi.waitFor(async () => expect(await server.log(id)).toContain('printed'), { timeout: 15_000 });
  expect(await cancelAndWait(server, id)).toBeLessThan(GONE_MS);
  await vi.waitFor(async () => expect((await server.job(id)).output).not.toBeNull());
  expect((await unpackOutput(server, id)).paths).toEqual(['.agent/manifest.json', 'early.txt']);
  // Final is final.
  expect(await server.job(id)).toMatchObject({ status: 'cancelled', error: null });
  await server.client.cancel(id);
});

test('while it is paused', async () => {
  const server = await startTestServer();
  const id = await server.schedule({ prompt: runbook('sleep 1', 'echo never') });
  await server.event(id, 'block.started');
  await fetch(`${server.url}/pause/${id}`, { method: 'POST' });
  expect(await server.event(id, 'job.waiting')).toEqual({ reason: 'paused' });
  expect((await server.client.status(id)).status).toBe('waiting');
  expect(await cancelAndWait(server, id)).toBeLessThan(GONE_MS);
  expect(await server.log(id)).not.toContain('never');
});

test('while its output is packed: what was whole by then is the output', async () => {
  const server = await startTestServer();
  const id = await server.schedule({
    prompt: runbook('echo small > a.txt; head -c 300M /dev/urandom > large.bin'),
    limits: { disk_mb: 2_048 },
  });
  await server.event(id, 'block.ended');
  expect(await cancelAndWait(server, id)).toBeLessThan(GONE_MS);
  await vi.waitFor(async () => expect((await server.job(id)).output).not.toBeNull());
  const { paths, manifest } = await unpackOutput(server, id);
  expect(paths).toEqual(['.agent/manifest.json', 'a.txt']);
  expect(manifest.complete).toBe(false);
  expect(manifest.left_out).toContainEqual({ path: 'large.bin', reason: 'cut_off' });
});
