import { expect, test, vi } from 'vitest';
import { dataOf, runbook, startTestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

test('a sandbox that is lost while the job runs ends it with that', async () => {
  const server = await startTestServer();
  const id = await server.schedule({ prompt: runbook('echo printed; sleep 100') });
  await vi.waitFor(async () => expect(await server.log(id)).toContain('printed'), { timeout: 15_000 });
  const { sandbox } = await server.event(id, 'sandbox.started');
  const { driver } = server.server;
  const [listed] = await driver.list(server.store.installation);
  expect(listed?.handle.id).toBe(sandbox);
  if (listed) await driver.destroy(listed.handle);
  const events = await server.ended(id);
  expect(await server.client.status(id)).toMatchObject({ status: 'failed', error: { code: 'SANDBOX_LOST' } });
  expect(dataOf(events, 'sandbox.lost')).toMatchObject([{ sandbox }]);
  expect((await server.job(id)).output).toBeNull();
});

test('a job that writes more than it may ends, with what it wrote as far as it fits', {
  timeout: 60_000,
}, async () => {
  const server = await startTestServer({ MAX_OUTPUT_MB: '1' });
  const { id, status } = await server.run({
    prompt: runbook('echo small > small.txt; head -c 90M /dev/zero > large.bin; sleep 100'),
    limits: { disk_mb: 64 },
  });
  // An engine that enforces the limit itself makes the write fail instead.
  expect(['DISK_LIMIT', 'RUNBOOK_BLOCK_FAILED']).toContain(status.error?.code);
  const { paths, manifest } = await unpackOutput(server, id);
  expect(paths).toEqual(['.agent/manifest.json', 'small.txt']);
  expect(manifest.left_out).toContainEqual({ path: 'large.bin', reason: 'too_large' });
});
