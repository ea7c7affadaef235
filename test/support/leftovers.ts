import Docker from 'dockerode';
import { runPrefix } from './run-id.ts';

const LABEL = 'containerized-agent.installation';

/** Containers of this run that are still on the engine: by name, with the installation that made them. */
export async function leftovers(): Promise<string[]> {
  const containers = await new Docker().listContainers({ all: true, filters: { label: [LABEL] } });
  return containers
    .filter(({ Labels }) => Labels[LABEL]?.startsWith(runPrefix()))
    .map(({ Names, State, Labels }) => `${Names[0]} (${State}, installation ${Labels[LABEL]})`);
}
