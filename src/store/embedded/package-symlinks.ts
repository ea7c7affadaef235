import { readFile, symlink } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { z } from 'zod';

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Makes the links between the npm package's libraries, which its install script would make: npm runs none unless it is
 * allowed. Those that are there stay.
 */
export async function makeSymlinks(packageFolder: string): Promise<void> {
  const list = Links.parse(
    JSON.parse(await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8')),
  );
  for (const { source, target } of list) {
    const inside = [source, target].every((path) => normalize(path).startsWith('native/'));
    if (!inside)
      throw new Error(`expected a path below native/ in pg-symlinks.json; found ${source}, ${target}`);
    const path = join(packageFolder, target);
    await symlink(relative(dirname(path), join(packageFolder, source)), path).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
