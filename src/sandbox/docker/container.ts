import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { SandboxSpec } from '../driver.ts';

const MEBIBYTE = 1024 * 1024;
/** A browser maps its pages there; Docker's 64 MB crash it. It counts against the memory limit. */
const SHM_MB = 256;
const OPEN_FILES = 65_536;
/** The engine takes no less. */
const LEAST_CPUS = 0.01;

export const LABEL = {
  installation: 'containerized-agent.installation',
  worker: 'containerized-agent.worker',
  sandbox: 'containerized-agent.sandbox',
} as const;

/** What makes root useful for installing packages, and nothing that reaches past the container. */
const ROOT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETUID', 'SETGID', 'KILL'];

export interface ContainerSettings {
  image: string;
  runtime: string | undefined;
  /** CPUs of the host: the engine refuses to give more. */
  hostCpus: number;
  /** Whether the engine is to limit the disk. */
  diskQuota: boolean;
  /** Whether to set how many files a process may have open, or to leave the engine's own limit. */
  openFiles: boolean;
}

/** The request's body; its published types lack the namespace of the cgroups. */
export interface ContainerRequest extends ContainerCreateOptions {
  HostConfig: HostConfig & { CgroupnsMode: 'private' };
}

export const containerName = (id: string): string => `sandbox-${id}`;

/**
 * Everything that a sandbox's container may and may not do. Nothing of the host is mounted, its network is loopback,
 * and the engine's default seccomp profile, masked and read-only paths stay as they are.
 */
export function containerOptions(spec: SandboxSpec, settings: ContainerSettings): ContainerRequest {
  const { limits } = spec;
  const memory = limits.memory_mb * MEBIBYTE;
  const root = spec.privileges === 'root';
  return {
    name: containerName(spec.id),
    Image: settings.image,
    Hostname: 'sandbox',
    User: root ? '0:0' : '1000:1000',
    Labels: {
      [LABEL.installation]: spec.installation,
      [LABEL.worker]: spec.worker,
      [LABEL.sandbox]: spec.id,
    },
    OpenStdin: false,
    Tty: false,
    HostConfig: {
      NetworkMode: 'none',
      IpcMode: 'private',
      CgroupnsMode: 'private',
      CapDrop: ['ALL'],
      CapAdd: root ? ROOT_CAPABILITIES : [],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      // The image's first process reaps and keeps sandboxd running; the engine's own would only be one more.
      Init: false,
      ReadonlyRootfs: false,
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      // Equal limits leave no swap.
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(Math.max(LEAST_CPUS, Math.min(limits.cpus, settings.hostCpus)) * 1e9),
      PidsLimit: limits.pids,
      ShmSize: Math.min(SHM_MB, Math.floor(limits.memory_mb / 2)) * MEBIBYTE,
      Ulimits: [
        ...(settings.openFiles ? [{ Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES }] : []),
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      // When the host itself runs out of memory, a sandbox goes before the server does.
      OomScoreAdj: 500,
      LogConfig: { Type: 'none', Config: {} },
      ...(settings.diskQuota ? { StorageOpt: { size: `${limits.disk_mb}m` } } : {}),
      ...(settings.runtime ? { Runtime: settings.runtime } : {}),
    },
  };
}
