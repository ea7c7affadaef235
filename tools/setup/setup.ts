import { ConfigError, readConfig } from '../../src/config.ts';
import { ociStore } from '../../src/sandbox/oci/store.ts';
import { ensureEngine } from './engine/engine.ts';
import { findEngine } from './engine/find.ts';
import { prepareOci } from './engine/oci.ts';
import { ensureImage } from './image/image.ts';
import { ensureOciImage } from './image/oci-image.ts';
import { SetupError, say } from './output.ts';

export interface Ready {
  /** For every child: tells it of the engine that was chosen. */
  env: NodeJS.ProcessEnv;
}

/**
 * Brings whatever the server needs and does not have: an engine, and its sandbox image. SANDBOX_DRIVER or DOCKER_HOST
 * names the engine; else it is oci where this machine can run it, else Docker.
 * @throws SetupError that says what neither has.
 */
export async function setUp(): Promise<Ready> {
  const { SANDBOX_DRIVER: wanted } = settings();
  if (wanted === 'docker' || (wanted === undefined && process.env.DOCKER_HOST)) return setUpDocker();
  const lacks = await setUpOci();
  if (lacks === null) return { env: { ...process.env, SANDBOX_DRIVER: 'oci' } };
  if (wanted === 'oci') throw new SetupError(lacks);
  say(`${lacks} Taking Docker instead.`);
  return setUpDocker();
}

/** Brings every engine that this machine can run: what tests and benchmarks compare. */
export async function setUpAll(): Promise<Ready> {
  const { env } = await setUpDocker();
  const lacks = await setUpOci();
  if (lacks !== null) say(lacks);
  // Whoever is started chooses for himself.
  const { SANDBOX_DRIVER: _, ...rest } = env;
  return { env: rest };
}

async function setUpDocker(): Promise<Ready> {
  const { docker, host } = await ensureEngine();
  await ensureImage(docker, ociStore(settings()));
  const env = { ...process.env, SANDBOX_DRIVER: 'docker' };
  return { env: host ? { ...env, DOCKER_HOST: host } : env };
}

/** Null when sandboxes can be made; else what is missing. */
async function setUpOci(): Promise<string | null> {
  const config = settings();
  const store = ociStore(config);
  const lacks = await prepareOci(store, config.SANDBOX_RUNTIME);
  if (lacks !== null) return lacks;
  const { engine } = await findEngine();
  await ensureOciImage(store, engine?.docker);
  return null;
}

function settings() {
  try {
    return readConfig(process.env);
  } catch (error) {
    throw error instanceof ConfigError ? new SetupError(error.message) : error;
  }
}
