import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const KernelJson = z.object({
  argv: z.array(z.string()).min(1),
  display_name: z.string().default(''),
  language: z.string().default(''),
  env: z.record(z.string(), z.string()).default({}),
  interrupt_mode: z.enum(['signal', 'message']).default('signal'),
});

export interface KernelSpec extends z.infer<typeof KernelJson> {
  name: string;
  folder: string;
}

const SYSTEM = ['/usr/local/share/jupyter', '/usr/share/jupyter'];
const MAX_SPECS = 100;

/** The kernelspecs that Jupyter would find, by name: the user's own go before the system's. */
export function findSpecs(env: NodeJS.ProcessEnv): KernelSpec[] {
  const found = new Map<string, KernelSpec>();
  for (const data of dataFolders(env)) {
    for (const name of entries(join(data, 'kernels'))) {
      const folder = join(data, 'kernels', name);
      const spec = found.has(name) || found.size >= MAX_SPECS ? null : readSpec(folder);
      if (spec) found.set(name, { ...spec, name, folder });
    }
  }
  return [...found.values()];
}

function dataFolders({ JUPYTER_PATH, JUPYTER_DATA_DIR, HOME }: NodeJS.ProcessEnv): string[] {
  const own = JUPYTER_DATA_DIR || (HOME ? join(HOME, '.local/share/jupyter') : '');
  return [...(JUPYTER_PATH ?? '').split(':'), own, ...SYSTEM].filter(Boolean);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^[\w.-]{1,64}$/.test(name));
  } catch {
    return [];
  }
}

function readSpec(folder: string): z.infer<typeof KernelJson> | null {
  try {
    return KernelJson.parse(JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8')));
  } catch {
    return null;
  }
}
