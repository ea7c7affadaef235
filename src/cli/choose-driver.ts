import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { dockerDriver } from '../sandbox/docker/driver.ts';
import type { Driver } from '../sandbox/driver.ts';
import type { EngineState } from '../sandbox/engine-state.ts';
import { checkHost } from '../sandbox/oci/check.ts';
import { ociDriver } from '../sandbox/oci/driver.ts';
import { ociStore } from '../sandbox/oci/store.ts';

/**
 * The driver that SANDBOX_DRIVER names; else oci where this machine can run it, else docker. Somebody who sets
 * DOCKER_HOST wants that engine. Which one it is, and why, is told by its check.
 */
export async function chooseDriver(config: Config, log: Logger): Promise<Driver> {
  const { SANDBOX_IMAGE: image, SANDBOX_RUNTIME: runtime } = config;
  const store = ociStore(config);
  const oci = () => ociDriver({ store, image, runtime, log });
  const docker = () => dockerDriver({ image, runtime, log });
  if (config.SANDBOX_DRIVER === 'oci') return oci();
  if (config.SANDBOX_DRIVER === 'docker') return docker();
  if (process.env.DOCKER_HOST) return explained(docker(), 'chosen by DOCKER_HOST');
  const host = await checkHost(store, runtime);
  if (host.ready) return explained(oci(), 'chosen as this machine can; SANDBOX_DRIVER=docker takes Docker');
  return explained(docker(), host.detail);
}

/** A driver that says in its check why it is this one. */
function explained(driver: Driver, why: string): Driver {
  async function check(): Promise<EngineState> {
    const state = await driver.check();
    const { engine } = state;
    return {
      ...state,
      detail: `${state.detail} (${why})`,
      engine: { ...engine, detail: `${engine.detail} (${why})` },
    };
  }
  return { ...driver, check };
}
