import type Docker from 'dockerode';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';

/** The longest wait for one answer of the engine: a loaded one takes seconds to start a container. */
const CALL_TIMEOUT_MS = 60_000;
const MAX_ENGINE_WORDS = 1_000;

/**
 * The engine's answer to a call. The call itself is never aborted: a container that is made all the same must be
 * removed, so its maker waits until it knows.
 * @throws what the call throws, or a TimeoutError after 60 s.
 */
export async function answered<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), CALL_TIMEOUT_MS);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Where the engine is looked for, as a person would write it. */
export function engineAddress(): string {
  return process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
}

/** What the engine answered with: its HTTP status, and its words. */
export function engineAnswer(error: unknown): { status: number; words: string } {
  if (!(error instanceof Error)) return { status: 0, words: String(error) };
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
  const json = 'json' in error ? error.json : undefined;
  const said = typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined;
  const words = typeof said === 'string' ? said : error.message;
  return { status, words: words.trim().slice(0, MAX_ENGINE_WORDS) };
}

const UNREACHABLE: Record<string, string> = {
  ENOENT: 'Start Docker, or set DOCKER_HOST to where it listens.',
  ECONNREFUSED: 'Start Docker, or set DOCKER_HOST to where it listens.',
  EACCES: 'Let this user use Docker: add it to the group "docker" and log in again, or run as root.',
  EPERM: 'Let this user use Docker: add it to the group "docker" and log in again, or run as root.',
  ENOTFOUND: 'Set DOCKER_HOST to where it listens.',
  EAI_AGAIN: 'Set DOCKER_HOST to where it listens.',
  EHOSTUNREACH: 'Set DOCKER_HOST to where it listens.',
  ECONNRESET: 'See whether Docker is still running.',
  EPIPE: 'See whether Docker is still running.',
  ETIMEDOUT: 'See whether Docker is still running.',
};

/**
 * What went wrong with a call to the engine, as an error that a person can act on. An abort by the caller comes
 * back as the signal's own reason.
 * @param image - what the sandboxes are made from, for the message when it is missing.
 */
export function engineError(error: unknown, image: string, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof CodedError) return error;
  if (error instanceof Error) {
    const code = 'code' in error ? String(error.code) : '';
    const hint = UNREACHABLE[code];
    if (hint) {
      const message = `The Docker engine at ${engineAddress()} cannot be reached: ${error.message}`;
      return new CodedError('ENGINE_UNAVAILABLE', message, { hint, cause: error });
    }
    if (error.name === 'TimeoutError' || error.name === 'AbortError') {
      const message = `The Docker engine at ${engineAddress()} gave no answer within ${CALL_TIMEOUT_MS / 1000} s.`;
      return new CodedError('ENGINE_UNAVAILABLE', message, { cause: error });
    }
  }
  const { status, words } = engineAnswer(error);
  if (status === 404 && /no such image/i.test(words)) {
    const hint = `Make it with npm start; where SANDBOX_IMAGE names one of a registry: docker pull ${image}`;
    return new CodedError('IMAGE_MISSING', `The engine has no image ${image}.`, { hint, cause: error });
  }
  if (status === 404 || (status === 409 && /not running|is paused|is restarting|stopped/i.test(words))) {
    return new CodedError('SANDBOX_LOST', `The sandbox is not running: ${words}`, { cause: error });
  }
  return new CodedError('SANDBOX_START_FAILED', `The engine refused: ${words}`, { cause: error });
}

const Info = z.object({
  NCPU: z.number(),
  Driver: z.string(),
  DriverStatus: z.array(z.tuple([z.string(), z.string()])).nullish(),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  ServerVersion: z.string(),
  MemoryLimit: z.boolean(),
  PidsLimit: z.boolean().optional(),
  CpuCfsQuota: z.boolean(),
});

/** What the engine can do. */
export interface EngineFacts {
  version: string;
  cpus: number;
  runtimes: string[];
  /** Whether it may be able to limit a container's disk: only making one shows whether xfs keeps quotas. */
  diskQuota: boolean;
  /** Kinds of limits and protections that it lacks, in a person's words. */
  lacks: string[];
}

/** @throws what the engine's client throws. */
export async function readFacts(docker: Docker): Promise<EngineFacts> {
  const info = Info.parse(await answered(docker.info()));
  const backing = info.DriverStatus?.find(([name]) => name === 'Backing Filesystem')?.[1];
  const seccomp = info.SecurityOptions?.some(
    (option) => /name=seccomp/.test(option) && !/unconfined/.test(option),
  );
  const needed: [boolean | undefined, string][] = [
    [seccomp, 'a seccomp profile'],
    [info.MemoryLimit, 'memory limits'],
    [info.PidsLimit, 'pids limits'],
    [info.CpuCfsQuota, 'CPU limits'],
  ];
  return {
    version: info.ServerVersion,
    cpus: info.NCPU,
    runtimes: Object.keys(info.Runtimes ?? {}),
    diskQuota: info.Driver === 'overlay2' && backing === 'xfs',
    lacks: needed.filter(([has]) => !has).map(([, what]) => what),
  };
}
