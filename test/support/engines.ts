import { readdir } from 'node:fs/promises';
import { pino } from 'pino';
import { readConfig } from '../../src/config.ts';
import { dockerDriver } from '../../src/sandbox/docker/driver.ts';
import type { Driver, SandboxHandle } from '../../src/sandbox/driver.ts';
import { ociDriver } from '../../src/sandbox/oci/driver.ts';
import { ociStore, sandboxesFolder } from '../../src/sandbox/oci/store.ts';

export const silent = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });

/** Which engine a test uses that is not about one: TEST_ENGINE, or Docker. */
export const testEngine = process.env.TEST_ENGINE === 'oci' ? 'oci' : 'docker';

/** The store of the engine oci that the tests use. */
export const testStore = () => ociStore(readConfig(process.env));

/** A driver over the engine and the image that the tests use. */
export function testDriver(engine: 'docker' | 'oci' = testEngine): Driver {
  const image = process.env.SANDBOX_IMAGE;
  if (engine === 'docker') return dockerDriver({ image, log: silent });
  return ociDriver({ store: testStore(), image, log: silent });
}

export async function sandboxExists(id: string): Promise<boolean> {
  const driver = testDriver();
  const found = await Promise.all(
    (await handles(id)).map((handle) =>
      driver.diskUsage(handle).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/** What may be the handle of that sandbox: Docker names it by its id, with oci its installation is looked for. */
async function handles(id: string): Promise<SandboxHandle[]> {
  if (testEngine === 'docker') return [{ driver: 'docker', id, ref: `sandbox-${id}` }];
  const names = await readdir(sandboxesFolder(testStore())).catch(() => []);
  return names.map((name) => ({ driver: 'oci', id, ref: decodeURIComponent(name) }));
}
