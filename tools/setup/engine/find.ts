import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Docker from 'dockerode';

const DEFAULT_SOCKET = '/var/run/docker.sock';
const ANSWER_MS = 5_000;

/** A place where an engine was looked for. */
interface Candidate {
  /** As in DOCKER_HOST; undefined where DOCKER_HOST itself says it (with its TLS settings). */
  host: string | undefined;
  /** What a person calls it. */
  name: string;
}

export interface Attempt extends Candidate {
  /** Why it was not taken. */
  problem: string;
}

export interface Engine {
  docker: Docker;
  /** What children need in DOCKER_HOST; undefined where the default is right. */
  host: string | undefined;
}

/** The first engine that answers, with what else was tried. Never throws. */
export async function findEngine(): Promise<{ engine: Engine | undefined; attempts: Attempt[] }> {
  const attempts: Attempt[] = [];
  for await (const candidate of candidates()) {
    const problem = await problemOf(candidate.host);
    if (!problem) {
      const host = candidate.host === `unix://${DEFAULT_SOCKET}` ? undefined : candidate.host;
      return { engine: { docker: client(candidate.host), host }, attempts };
    }
    attempts.push({ ...candidate, problem });
  }
  return { engine: undefined, attempts };
}

async function* candidates(): AsyncGenerator<Candidate> {
  const { DOCKER_HOST, XDG_RUNTIME_DIR } = process.env;
  // Who sets it wants that engine and no other.
  if (DOCKER_HOST) {
    yield { host: undefined, name: `DOCKER_HOST=${DOCKER_HOST}` };
    return;
  }
  yield { host: `unix://${DEFAULT_SOCKET}`, name: `Docker (${DEFAULT_SOCKET})` };
  const context = await contextHost();
  if (context) yield { host: context, name: `the docker command's context (${context})` };
  const run = XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.() ?? 0}`;
  const sockets: [string, string][] = [
    ['Docker Desktop', join(homedir(), '.docker/run/docker.sock')],
    ['rootless Docker', join(run, 'docker.sock')],
    ['Colima', join(homedir(), '.colima/default/docker.sock')],
    ['rootless Podman', join(run, 'podman/podman.sock')],
    ['Podman', '/run/podman/podman.sock'],
  ];
  for (const [name, path] of sockets) yield { host: `unix://${path}`, name: `${name} (${path})` };
}

/** Where the docker command would connect to, if there is one. */
async function contextHost(): Promise<string | undefined> {
  try {
    const argv = ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'];
    const { stdout } = await promisify(execFile)('docker', argv, { timeout: ANSWER_MS });
    const host = stdout.trim();
    return /^(unix|tcp):\/\//.test(host) ? host : undefined;
  } catch {
    return undefined;
  }
}

/** A client of an engine; `timeout` is in ms, for a socket on which nothing happens. */
function client(host: string | undefined, timeout?: number): Docker {
  if (host === undefined) return new Docker({ timeout });
  if (host.startsWith('unix://')) return new Docker({ socketPath: host.slice('unix://'.length), timeout });
  const { hostname, port } = new URL(host);
  return new Docker({ host: hostname, port: Number(port || 2375), timeout });
}

async function problemOf(host: string | undefined): Promise<string | undefined> {
  const socket = host?.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
  if (socket && !existsSync(socket)) return 'not there';
  try {
    await client(host, ANSWER_MS).ping();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ECONNRESET') return `no answer within ${ANSWER_MS / 1000} s`;
    if (code === 'EACCES') {
      return 'permission denied: add yourself to its group (sudo usermod -aG docker $USER, then log in again)';
    }
    if (code === 'ECONNREFUSED') return 'there, but nothing listens: the engine is not running';
    return message;
  }
}
