import { join } from 'node:path';
import { DESKTOP } from '../src/protocol/desktop.ts';
import { EGRESS_PROXY_PORT, SANDBOX_PATHS } from '../src/protocol/sandboxd.ts';
import type { KernelPrograms } from './kernel/kernels.ts';

export interface Settings {
  /** Folder of the sockets, pipes and what else belongs to this run of sandboxd. */
  run: string;
  apiSocket: string;
  egressSocket: string;
  caBundle: string;
  /** Where relative paths start and processes run by default. */
  workspace: string;
  /** Port of the egress proxy on loopback; 0 takes a free one. */
  proxyPort: number;
  /** Where X programs look for the display. */
  displaySocket: string;
  /** The programs that kernels are started with. */
  kernels: KernelPrograms;
  /** How often the sandbox's init has started sandboxd. */
  starts: number;
}

const inFolder = (folder: string, path: string): string => join(folder, path.slice(SANDBOX_PATHS.run.length));

/** The settings from the environment; without any, those of a sandbox. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const run = env.SANDBOXD_RUN || SANDBOX_PATHS.run;
  return {
    run,
    apiSocket: inFolder(run, SANDBOX_PATHS.apiSocket),
    egressSocket: inFolder(run, SANDBOX_PATHS.egressSocket),
    caBundle: inFolder(run, SANDBOX_PATHS.caBundle),
    workspace: env.SANDBOXD_WORKSPACE || SANDBOX_PATHS.workspace,
    proxyPort: Number(env.SANDBOXD_PROXY_PORT || EGRESS_PROXY_PORT),
    displaySocket: env.SANDBOXD_RUN ? join(run, 'display.sock') : DESKTOP.socket,
    kernels: {
      python: env.SANDBOXD_KERNEL_PYTHON || join(SANDBOX_PATHS.runtime, 'python.py'),
      node: env.SANDBOXD_KERNEL_NODE || join(SANDBOX_PATHS.runtime, 'node-kernel.mjs'),
    },
    starts: Number(env.SANDBOXD_STARTS || 1),
  };
}
