import type Docker from 'dockerode';
import { ensureEngine } from './engine/engine.ts';
import { ensureImage } from './image/image.ts';

export interface Ready {
  docker: Docker;
  /** For every child: tells it of an engine that is not at the usual place. */
  env: NodeJS.ProcessEnv;
}

/** Brings whatever the server needs and does not have: an engine that answers, and the sandbox image. */
export async function setUp(): Promise<Ready> {
  const { docker, host } = await ensureEngine();
  await ensureImage(docker);
  return { docker, env: host ? { ...process.env, DOCKER_HOST: host } : process.env };
}
