import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BASE_REPOSITORY, SANDBOX_REPOSITORY } from '../../../src/sandbox/image.ts';
import { findImage } from '../../../src/sandbox/oci/images.ts';
import { imagesInUse } from '../../../src/sandbox/oci/state.ts';
import { imageFolder, type OciStore } from '../../../src/sandbox/oci/store.ts';

/** Other checkouts of the project on the same machine have images of their own: so many stay. A base is 2 GB, sandboxd 10 MB. */
const KEPT = { [BASE_REPOSITORY]: 4, [SANDBOX_REPOSITORY]: 12 };

/** Removes images of ours that newer ones have replaced, unless a sandbox or an image that stays lies on them. */
export async function removeOldOciImages(store: OciStore, current: string[]): Promise<void> {
  const folder = dirname(imageFolder(store, 'x'));
  const images = await Promise.all(
    (await readdir(folder)).map(async (entry) => {
      const made = await stat(join(folder, entry, 'image.json')).catch(() => null);
      return { name: decodeURIComponent(entry), made: made?.mtimeMs ?? 0 };
    }),
  );
  const used = new Set([...current, ...(await imagesInUse(store))]);
  for (const name of [...used]) used.add((await findImage(store, name))?.base ?? name);
  for (const [repository, kept] of Object.entries(KEPT)) {
    const ours = images.filter(({ name }) => name.startsWith(`${repository}:`));
    const newest = ours.sort((a, b) => b.made - a.made).slice(0, kept);
    for (const image of ours) {
      // Of a layer whose base has gone nothing can be made any more.
      const whole = (await findImage(store, image.name)) !== null;
      if (used.has(image.name) || (whole && newest.includes(image))) continue;
      await rm(imageFolder(store, image.name), { recursive: true, force: true });
    }
  }
}
