import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { say } from '../output.ts';
import { ROOT } from '../root.ts';
import { buildImage, finished } from './engine-calls.ts';

const SOURCE = join(ROOT, 'sandboxd/image');
export const DEBIAN = 'trixie';
const IMAGE = `debian:${DEBIAN}-slim`;
/** A registry that is there answers at once; an unreachable one may leave the engine waiting for minutes. */
const FIRST_ANSWER_MS = 8_000;

/**
 * Has the engine pull Debian's image. The engine is asked because it has proxies and mirrors of its own.
 * @returns undefined when the image is there, else why it could not be had
 */
export async function pullDebian(docker: Docker): Promise<string | undefined> {
  const present = await docker
    .getImage(IMAGE)
    .inspect()
    .catch(() => undefined);
  if (present) return undefined;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), FIRST_ANSWER_MS);
  try {
    const stream = await docker.pull(IMAGE, { abortSignal: abort.signal });
    await finished(docker, stream, () => clearTimeout(timer));
    return undefined;
  } catch (error) {
    if (abort.signal.aborted) return `no answer within ${FIRST_ANSWER_MS / 1000} s`;
    const words = error instanceof Error ? error.message : String(error);
    return words.replace(/^.*server error - /, '').trim();
  } finally {
    clearTimeout(timer);
  }
}

/** Builds the base with base.Dockerfile. */
export async function buildFromRegistry(docker: Docker, toolchain: string, tag: string): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'sandbox-base-'));
  try {
    for (const name of ['packages.txt', 'dpkg.cfg', 'provision.sh']) {
      await cp(join(SOURCE, name), join(context, name));
    }
    await cp(join(SOURCE, 'base.Dockerfile'), join(context, 'Dockerfile'));
    await cp(toolchain, join(context, 'toolchain'), { recursive: true });
    await buildImage(docker, context, { t: tag, buildargs: { DEBIAN, ...proxies() } }, (line) => {
      if (line.startsWith('Step ')) say(`  ${line}`);
    });
    const filters = { dangling: ['true'], label: ['containerized-agent.stage=build'] };
    await docker.pruneImages({ filters });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** The host's proxies, for apt-get in the build; Docker keeps these arguments out of the image. */
function proxies(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
