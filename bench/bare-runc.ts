import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findImage } from '../src/sandbox/oci/images.ts';
import { image, store } from './engine.ts';

const exec = promisify(execFile);
const Spec = z.looseObject({ process: z.looseObject({}), root: z.looseObject({}) });

/** What a person would compare with: runc's own example bundle over the image's files. */
export async function bareRunc(): Promise<{ run(): Promise<unknown>; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-runc-'));
  await exec('runc', ['spec', '--bundle', folder]);
  const file = join(folder, 'config.json');
  const spec = Spec.parse(JSON.parse(await readFile(file, 'utf8')));
  spec.process = { ...spec.process, terminal: false, args: ['/bin/true'] };
  spec.root = { path: (await findImage(store, image))?.layers.at(-1), readonly: true };
  await writeFile(file, JSON.stringify(spec));
  let count = 0;
  return {
    run: () =>
      exec('runc', [
        '--root',
        join(folder, 'state'),
        'run',
        '--bundle',
        folder,
        `bench-${process.pid}-${count++}`,
      ]),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
