import { expect, test, vi } from 'vitest';
import { runbook, startTestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

test('fifty jobs at once: each has its own output, and no sandbox is left', {
  timeout: 400_000,
}, async () => {
  const server = await startTestServer({ WORKER_CONCURRENCY: '4', LIMIT_MEMORY_MB: '256' });
  const jobs = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => ({
      id: await server.schedule({
        prompt: runbook(`echo "$N squared is $((N * N))" > result.txt`),
        env: { N: String(i) },
      }),
      expected: `${i} squared is ${i * i}\n`,
    })),
  );
  for (const { id, expected } of jobs) {
    await server.ended(id);
    expect((await server.client.status(id)).status).toBe('complete');
    expect(await (await unpackOutput(server, id)).text('result.txt')).toBe(expected);
  }
  await vi.waitFor(async () => expect(await server.sandboxes()).toEqual([]), { timeout: 10_000 });
});
