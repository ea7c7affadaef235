import { expect, test } from 'vitest';
import type { Client } from '../../src/cli/client.ts';
import type { EventType, JobEvent } from '../../src/protocol/events.ts';
import { sandboxExists } from '../support/engines.ts';
import { dataOf, runbook } from '../support/server.ts';
import { dataFolder, type ServerProcess, spawnServer } from '../support/server-process.ts';

/** The second block waits for a file that the test puts into the live sandbox. */
const PROMPT = runbook('echo once >> first.txt', 'until test -e go; do sleep 0.1; done; cat first.txt');

async function eventsUntil(
  client: Client,
  id: string,
  last: (event: JobEvent) => boolean,
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of client.events(id)) {
    events.push(event);
    if (last(event)) return events;
  }
  throw new Error(`Expected another event; found ${events.map(({ type }) => type).join(', ')}`);
}

/** Starts the job, ends the server while the second block runs, and starts another on the same folder. */
async function interrupt(end: (server: ServerProcess) => Promise<unknown>) {
  const folder = await dataFolder();
  const first = await spawnServer(folder, { SHUTDOWN_GRACE_S: '1' });
  const { job_id: id } = await first.client.schedule({ prompt: PROMPT });
  const before = await eventsUntil(
    first.client,
    id,
    (event) => event.type === 'block.started' && event.data.block === 2,
  );
  const sandbox = dataOf(before, 'sandbox.started')[0]?.sandbox ?? '';
  await end(first);
  const second = await spawnServer(folder);
  return { id, sandbox, second };
}

async function finish({ id, sandbox, second }: Awaited<ReturnType<typeof interrupt>>) {
  const restarted = (type: EventType) => (event: JobEvent) => event.type === type && event.data !== null;
  const seen = await eventsUntil(second.client, id, restarted('sandbox.reattached'));
  const started = seen.length;
  await eventsUntil(second.client, id, (event) => event.type === 'block.started' && event.seq > started);
  const put = await fetch(`${second.url}/files/${id}/go`, { method: 'PUT', body: 'go' });
  expect(put.ok).toBe(true);
  const events = await eventsUntil(second.client, id, (event) => event.type === 'job.ended');
  expect(dataOf(events, 'sandbox.reattached')).toEqual([{ sandbox }]);
  expect(dataOf(events, 'sandbox.started')).toHaveLength(1);
  expect(dataOf(events, 'block.started').map(({ block }) => block)).toEqual([1, 2, 2]);
  expect(dataOf(events, 'job.ended')[0]).toMatchObject({ status: 'complete' });
  let log = '';
  for await (const bytes of second.client.log(id, 'stdout', 0)) log += bytes.toString();
  expect(log).toMatch(/once\n$/);
  expect(log.match(/once/g)).toHaveLength(1);
  expect(await second.end('SIGTERM')).toBe(0);
  expect(await sandboxExists(sandbox)).toBe(false);
  return events;
}

test('a server that is killed: the next one goes on with the job, in the same sandbox', {
  timeout: 120_000,
}, async () => {
  const interrupted = await interrupt((server) => server.end('SIGKILL'));
  const events = await finish(interrupted);
  expect(dataOf(events, 'job.started').map(({ attempt }) => attempt)).toEqual([1, 2]);
});

test('a server that is told to stop hands its jobs back and exits with 0', { timeout: 120_000 }, async () => {
  const interrupted = await interrupt(async (server) => expect(await server.end('SIGTERM')).toBe(0));
  const events = await finish(interrupted);
  expect(dataOf(events, 'job.requeued')).toHaveLength(1);
});
