import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { sandboxesFolder, snapshotsFolder } from '../../src/sandbox/oci/store.ts';
import { testStore } from './engines.ts';
import { leftoverProcesses } from './leftover-processes.ts';
import { runPrefix } from './run-id.ts';

const LABEL = 'containerized-agent.installation';

/** What this run has left on the engines, with the installation that made it. */
export async function leftovers(): Promise<string[]> {
  return [...(await containers()), ...(await folders()), ...(await leftoverProcesses())];
}

async function containers(): Promise<string[]> {
  const found = await new Docker().listContainers({ all: true, filters: { label: [LABEL] } });
  return found
    .filter(({ Labels }) => Labels[LABEL]?.startsWith(runPrefix()))
    .map(({ Names, State, Labels }) => `${Names[0]} (${State}, installation ${Labels[LABEL]})`);
}

/** Folders of sandboxes of the engine oci; with each goes its group, and what is mounted is in its disk. */
async function folders(): Promise<string[]> {
  const root = sandboxesFolder(testStore());
  const left = await Promise.all([root, snapshotsFolder(testStore())].map(inFolder));
  const mounted = (await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')).split('\n');
  return [...left.flat(), ...mounted.filter((line) => line.includes(join(root, runPrefix())))];
}

async function inFolder(root: string): Promise<string[]> {
  const names = await readdir(root).catch(() => []);
  return names.filter((name) => name.startsWith(runPrefix())).map((name) => join(root, name));
}
