import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { dataOf, runbook, startTestServer } from '../support/server.ts';

/** A web server on loopback, which these tests open to sandboxes; gives its port and the bodies that were sent to it. */
async function startWeb() {
  const bodies: string[] = [];
  const web = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.end('reached');
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  onTestFinished(() => void web.close());
  return { port: (web.address() as AddressInfo).port, bodies };
}

/** Asks the sandbox's proxy, also for loopback, which programs otherwise look for in the sandbox itself. */
const curl = (port: number) =>
  `curl -s --noproxy '' --data 'a body' -w ' %{http_code}\\n' http://127.0.0.1:${port}/`;

test('network none: a 403 that names the rule, and an event', async () => {
  const server = await startTestServer();
  const { port } = await startWeb();
  const { id, events } = await server.run({ prompt: runbook(curl(port)), network: { mode: 'none' } });
  const log = await server.log(id);
  expect(log).toContain(' 403');
  expect(log).toContain('network.mode=none');
  expect(dataOf(events, 'egress')).toEqual([
    { host: '127.0.0.1', port, address: null, allowed: false, rule: 'network.mode=none', count: 1 },
  ]);
});

test('an allowlist lets through what it names, and nothing else', async () => {
  const server = await startTestServer();
  const [open, closed] = [await startWeb(), await startWeb()];
  const { id, events } = await server.run({
    prompt: runbook(`${curl(open.port)}; ${curl(closed.port)}`),
    network: { mode: 'allowlist', allow: [`127.0.0.1:${open.port}`] },
  });
  const log = await server.log(id);
  expect(log).toContain('reached 200');
  expect(log).toContain(' 403');
  expect(open.bodies).toEqual(['a body']);
  expect(dataOf(events, 'egress').map(({ port, allowed }) => [port, allowed])).toEqual([
    [open.port, true],
    [closed.port, false],
  ]);
});

test('the public network is not the private one', async () => {
  const server = await startTestServer({ EGRESS_PRIVATE_ALLOW: '' });
  const { port } = await startWeb();
  const { id, events } = await server.run({ prompt: runbook(curl(port)) });
  expect(await server.log(id)).toContain(' 403');
  expect(dataOf(events, 'egress')).toMatchObject([
    { allowed: false, rule: expect.stringContaining('loopback') },
  ]);
});

test('a callback tells of the end, also of one in the queue; a private address is not called', async () => {
  const web = await startWeb();
  const callback_url = `http://127.0.0.1:${web.port}/done`;
  const server = await startTestServer({ WORKER_CONCURRENCY: '1' });
  const { id } = await server.run({ prompt: runbook('true'), callback_url });
  await expect
    .poll(() => web.bodies.map((body) => JSON.parse(body) as unknown))
    .toEqual([await server.client.status(id)]);

  const busy = await server.schedule({ prompt: runbook('sleep 100') });
  await server.event(busy, 'block.started');
  const queued = await server.schedule({ prompt: runbook('true'), callback_url });
  await server.client.cancel(queued);
  await expect
    .poll(() => web.bodies.slice(1).map((body) => JSON.parse(body) as unknown))
    .toMatchObject([{ job_id: queued, status: 'cancelled' }]);
  await server.client.cancel(busy);

  const closed = await startTestServer({ EGRESS_PRIVATE_ALLOW: '' });
  await closed.run({ prompt: runbook('true'), callback_url });
  await closed.server.close(0);
  expect(web.bodies).toHaveLength(2);
});
