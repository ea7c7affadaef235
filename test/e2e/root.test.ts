import { expect, test } from 'vitest';
import { dataOf, runbook, startTestServer } from '../support/server.ts';

test('root inside installs a Debian package through the tunnel', { timeout: 180_000 }, async () => {
  const server = await startTestServer({ ALLOW_ROOT: 'true', LIMIT_MEMORY_MB: '1024' });
  const { id, events, status } = await server.run({
    prompt: runbook(
      'id -u; apt-get -qq update',
      'apt-get -qq install --yes --no-install-recommends cowsay >install.log 2>&1',
      'dpkg-query --show --showformat="\\${db:Status-Abbrev}\\n" cowsay; /usr/games/cowsay moo',
    ),
    privileges: 'root',
  });
  const log = await server.log(id);
  expect(status, log).toMatchObject({ status: 'complete' });
  expect(log).toMatch(/^0\n/m);
  expect(log).toMatch(/^ii /m);
  expect(log).toContain('< moo >');
  const hosts = dataOf(events, 'egress').map(({ host }) => host);
  expect(hosts.length).toBeGreaterThan(0);
});

test('without leave, root is for engines that map it to nobody', async () => {
  const server = await startTestServer();
  const answer = await fetch(`${server.url}/schedule`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: runbook('id -u'), privileges: 'root' }),
  });
  if (server.server.driver.rootIsSafe) {
    expect(answer.status).toBe(202);
    return;
  }
  expect(answer.status).toBe(422);
  const problem = (await answer.json()) as { hint: string };
  expect(problem.hint).toContain('ALLOW_ROOT=true');
});
