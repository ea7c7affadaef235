import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SANDBOX_PATHS } from '../../src/protocol/sandboxd.ts';
import { type ImageContainer, startImage } from './image-container.ts';

let container: ImageContainer;
beforeAll(async () => {
  container = await startImage();
});
afterAll(() => container.remove());

describe('the sandbox image', () => {
  test('runs as a user that is not root, in a workspace of its own', async () => {
    expect(await container.run('id -u; id -g; id -un; pwd; echo $HOME; stat -c "%U %a" /workspace')).toBe(
      '1000\n1000\nagent\n/workspace\n/home/agent\nagent 755',
    );
  });

  test('has no program that gives more rights', async () => {
    expect(await container.run('find / -xdev -perm /6000 2>/dev/null; true')).toBe('');
  });

  test.each([
    ['node --version', /^v24\./],
    ['npm --version', /^\d+\./],
    ['npx --version', /^\d+\./],
    ['tsc --version', /^Version \d/],
    ['python3 --version', /^Python 3\./],
    ['python3 -m ipykernel --version', /^\d+\./],
    ['git --version', /^git version/],
    ['gcc --version', /^gcc/],
    ['rg --version', /^ripgrep/],
    ['sqlite3 --version', /^3\./],
    ['jq --version', /^jq-/],
    [`${SANDBOX_PATHS.runtime}/bin/socat -V`, /^socat by/],
  ])('has %s', async (command, version) => {
    expect(await container.run(command)).toMatch(version);
  });

  test('installs for its user without root', async () => {
    expect(await container.run('npm config get prefix; python3 -m site --user-base')).toBe(
      '/home/agent/.local\n/home/agent/.local',
    );
    await container.run(
      'mkdir -p /tmp/wheel/tool && cd /tmp/wheel && echo "{\\"name\\":\\"tool\\",\\"version\\":\\"1.0.0\\",\\"bin\\":\\"tool.js\\"}" >package.json && printf "#!/usr/bin/env node\\nconsole.log(42)\\n" >tool.js && npm install -g --offline "$(npm pack --silent)"',
    );
    expect(await container.run('tool')).toBe('42');
  });

  test('lets git commit at once', async () => {
    expect(
      await container.run(
        'git init -q /tmp/repo && cd /tmp/repo && git commit -q --allow-empty -m x && git log --format="%an %s"',
      ),
    ).toBe('Agent x');
  });

  test('sends ssh through the proxy of the sandbox', async () => {
    expect(await container.run('ssh -G example.org | grep -i ^proxycommand')).toMatch(
      /PROXY:127\.0\.0\.1:%h:%p,proxyport=3128/,
    );
  });

  test('keeps its daemon out of reach of the user', async () => {
    const writable = `find ${SANDBOX_PATHS.runtime} ! -type l -writable`;
    expect(await container.run(`${writable}; stat -c "%U %a" ${SANDBOX_PATHS.run}`)).toBe('agent 700');
  });

  test('has a daemon that needs nothing of the distribution', async () => {
    const outside = await container.run(
      `cat /proc/$(pgrep -o -x sandboxd)/maps | grep -o '/.*' | sort -u | grep -v '^${SANDBOX_PATHS.runtime}/' ; true`,
    );
    expect(outside.split('\n').filter((path) => path && !path.startsWith('/dev/'))).toEqual([]);
  });
});

describe('the first process', () => {
  test('starts a killed sandboxd again, and `pkill node` does not reach it', async () => {
    const pid = () => container.run('pgrep -o -x sandboxd');
    const first = await pid();
    // Put together, so that the line itself does not hold the word.
    await container.run('word=no; word="$word"de; killall -q $word; pkill -f $word; true');
    expect(await pid()).toBe(first);
    await container.run(`kill -9 ${first}`);
    await vi.waitFor(async () => expect(await pid()).not.toBe(first), { timeout: 10_000, interval: 100 });
    const started = await container.run(
      "tr '\\0' '\\n' < /proc/$(pgrep -o -x sandboxd)/environ | grep STARTS",
    );
    expect(Number(started.split('=')[1])).toBeGreaterThan(1);
  });

  test('reaps what is left to it', async () => {
    await container.run('for i in 1 2 3 4 5; do (sleep 0.05 & ) ; done');
    await vi.waitFor(async () => expect(await container.run('pgrep -x sleep; true')).toBe(''), {
      timeout: 10_000,
    });
    expect(await container.run('ps -eo stat= | grep -c ^Z; true')).toBe('0');
  });

  test('cannot be killed from inside', async () => {
    await container.run('kill -9 1; true');
    expect(await container.run('cat /proc/1/comm')).toBe('init');
  });
});
