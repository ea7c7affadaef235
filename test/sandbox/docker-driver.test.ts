import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dockerDriver } from '../../src/sandbox/docker/driver.ts';
import { silent } from '../support/engines.ts';
import { testInstallation } from '../support/run-id.ts';
import { testSpec } from '../support/sandbox.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A driver whose engine is looked for at this address. */
function driverAt(address: string) {
  vi.stubEnv('DOCKER_HOST', address);
  return dockerDriver({ image: 'none:such', log: silent });
}

describe('without an engine', () => {
  it.each([
    ['unix:///nowhere/docker.sock', /unix:\/\/\/nowhere\/docker\.sock cannot be reached/],
    ['tcp://127.0.0.1:1', /127\.0\.0\.1:1 cannot be reached/],
  ])('says that %s does not answer and what to do', async (address, found) => {
    const driver = driverAt(address);
    const state = await driver.check();
    expect(state).toMatchObject({ ready: false, detail: expect.stringMatching(found) });
    expect(state.detail).toMatch(/Start Docker, or set DOCKER_HOST/);
    const handle = { driver: 'docker', id: 'x', ref: 'x' };
    for (const call of [
      () => driver.create(testSpec()),
      () => driver.connect(handle, 'api'),
      () => driver.list('x'),
      () => driver.destroy(handle),
      () => driver.diskUsage(handle),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    }
  });

  it('notices when the engine is there again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const socket = join(folder, 'docker.sock');
    try {
      const driver = driverAt(`unix://${socket}`);
      expect((await driver.check()).ready).toBe(false);
      const refused = createServer((connection) => connection.destroy()).listen(socket);
      expect((await driver.check()).detail).toMatch(/still running/);
      await new Promise((resolve) => refused.close(resolve));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('with an engine that lacks something', () => {
  it('names the image that is missing, and how to get it', async () => {
    const driver = dockerDriver({ image: 'none.invalid/such:1', log: silent });
    const missing = expect.stringMatching(/no image none\.invalid\/such:1.*npm start.*docker pull/);
    expect(await driver.check()).toEqual({
      ready: false,
      detail: missing,
      engine: { ready: true, detail: expect.stringMatching(/^Docker \S+, runtime/) },
      image: { ready: false, detail: missing },
    });
    const spec = testSpec({ installation: testInstallation() });
    await expect(driver.create(spec)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
    expect(await driver.list(spec.installation)).toEqual([]);
  });

  it('names the runtime that is missing, and those there are', async () => {
    const driver = dockerDriver({
      image: process.env.SANDBOX_IMAGE,
      runtime: 'no-such-runtime',
      log: silent,
    });
    expect((await driver.check()).detail).toMatch(/no runtime "no-such-runtime" \(it has .*runc/);
    const spec = testSpec({ installation: testInstallation() });
    await expect(driver.create(spec)).rejects.toMatchObject({
      code: 'SANDBOX_START_FAILED',
      message: expect.stringContaining('no-such-runtime'),
    });
    expect(await driver.list(spec.installation)).toEqual([]);
  });
});
