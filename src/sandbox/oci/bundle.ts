import type { SandboxSpec } from '../driver.ts';
import type { ImageConfig } from './images.ts';
import { seccompProfile } from './seccomp.ts';
import { MAPPED_USERS } from './store.ts';

const MEBIBYTE = 1024 * 1024;
/** A browser maps its pages there. It counts against the memory limit. */
const SHM_MB = 256;
const CPU_PERIOD_US = 100_000;
/** The kernel takes no shorter quota. */
const LEAST_QUOTA_US = 1_000;

/** What installing packages needs, and nothing else of what Docker gives by default. */
const ROOT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETUID', 'SETGID', 'KILL'].map(
  (name) => `CAP_${name}`,
);

/** What of the kernel's own files tells of the machine; the same as Docker hides. */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface BundleFacts {
  image: ImageConfig;
  /** Where the sandbox's file system will be mounted. */
  rootfs: string;
  /** The user outside that root inside is. */
  firstUser: number;
  cgroup: string;
  openFiles: number;
  /** Whether the kernel counts swap. */
  swap: boolean;
}

/** A sandbox's config.json (OCI runtime specification 1.0.2): everything that it may and may not do. */
export function bundleConfig({ limits, privileges }: SandboxSpec, facts: BundleFacts) {
  const root = privileges === 'root';
  const user = root ? 0 : 1000;
  const granted = root ? ROOT_CAPABILITIES : [];
  const mapping = [{ containerID: 0, hostID: facts.firstUser, size: MAPPED_USERS }];
  const memory = limits.memory_mb * MEBIBYTE;
  return {
    ociVersion: '1.0.2',
    hostname: 'sandbox',
    root: { path: facts.rootfs, readonly: false },
    process: {
      terminal: false,
      user: { uid: user, gid: user },
      args: facts.image.argv,
      env: facts.image.env,
      cwd: facts.image.cwd,
      capabilities: { bounding: granted, effective: granted, permitted: granted },
      noNewPrivileges: true,
      // When the host itself runs out of memory, a sandbox goes before the server does.
      oomScoreAdj: 500,
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: facts.openFiles, hard: facts.openFiles },
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      ],
    },
    mounts: mounts(Math.min(SHM_MB, Math.floor(limits.memory_mb / 2))),
    linux: {
      uidMappings: mapping,
      gidMappings: mapping,
      namespaces: ['user', 'pid', 'mount', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
      cgroupsPath: facts.cgroup,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        // Equal limits leave no swap.
        memory: { limit: memory, ...(facts.swap ? { swap: memory } : {}) },
        cpu: {
          period: CPU_PERIOD_US,
          quota: Math.max(LEAST_QUOTA_US, Math.round(limits.cpus * CPU_PERIOD_US)),
        },
        pids: { limit: limits.pids },
      },
      // As with Docker, any port is free to whoever wants to serve on it.
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
      seccomp: seccompProfile(),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
    },
  };
}

function mounts(shmMb: number) {
  const plain = ['nosuid', 'noexec', 'nodev'];
  return [
    mount('/proc', 'proc', plain),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/dev/shm', 'tmpfs', [...plain, 'mode=1777', `size=${shmMb}m`]),
    mount('/dev/mqueue', 'mqueue', plain),
    mount('/sys', 'sysfs', [...plain, 'ro']),
    mount('/sys/fs/cgroup', 'cgroup', [...plain, 'relatime', 'ro']),
  ];
}

const mount = (destination: string, type: string, options: string[]) => ({
  destination,
  type,
  source: type,
  options,
});
