import { expect, onTestFinished, test, vi } from 'vitest';
import { startServer } from '../../src/cli/wire.ts';
import { silent } from '../support/engines.ts';
import { dataOf, runbook, startTestServer } from '../support/server.ts';

test('a node without a worker of its own reaches the live sandboxes of the others', async () => {
  const server = await startTestServer();
  const node = await startServer({ ...server.config, WORKER_CONCURRENCY: 0 }, silent);
  onTestFinished(() => node.close(0));
  const id = await server.schedule({
    prompt: runbook('echo here > there.txt; until test -e go; do sleep 0.1; done'),
  });
  await server.event(id, 'block.started');
  await vi.waitFor(
    async () => expect(await (await fetch(`${node.url}/files/${id}/there.txt`)).text()).toBe('here\n'),
    { timeout: 10_000 },
  );
  const put = await fetch(`${node.url}/files/${id}/go`, { method: 'PUT', body: 'go' });
  expect(put.ok).toBe(true);
  await server.ended(id);
  expect(await (await fetch(`${node.url}/status/${id}`)).json()).toMatchObject({ status: 'complete' });
});

test('a warm sandbox is taken by a job with default limits alone, and none is left', async () => {
  const server = await startTestServer({ WARM_SANDBOXES: '1' });
  const { worker } = server.server;
  await vi.waitFor(() => expect(worker.state().sandboxes_warm).toBe(1), { timeout: 20_000 });
  const usual = await server.run({ prompt: runbook('true') });
  expect(dataOf(usual.events, 'sandbox.started')).toMatchObject([{ warm: true }]);
  await vi.waitFor(() => expect(worker.state().sandboxes_warm).toBe(1), { timeout: 20_000 });
  const small = await server.run({ prompt: runbook('true'), limits: { memory_mb: 256 } });
  expect(dataOf(small.events, 'sandbox.started')).toMatchObject([{ warm: false }]);
  await worker.stop(0);
  expect(await server.sandboxes()).toEqual([]);
});

test('a job waits while no sandbox can be made, and runs when one can', async () => {
  const server = await startTestServer({ SANDBOX_IMAGE: 'no-such-image:here' });
  const id = await server.schedule({ prompt: runbook('true') });
  const ready = await (await fetch(`${server.url}/readyz`)).json();
  expect(JSON.stringify(ready)).toContain('no-such-image:here');
  expect((await server.client.status(id)).status).toBe('scheduled');
  const { SANDBOX_IMAGE, ...config } = server.config;
  await server.server.worker.stop(0);
  const other = await startServer({ ...config, SANDBOX_IMAGE: process.env.SANDBOX_IMAGE }, silent);
  onTestFinished(() => other.close(0));
  await server.ended(id);
  expect((await server.client.status(id)).status).toBe('complete');
});
