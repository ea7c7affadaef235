import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { imageFolder, type OciStore } from './store.ts';

/** What an image says of the sandboxes that are made from it. */
export const ImageConfig = z.object({
  /** The image that it lies on, if it is not whole by itself. */
  base: z.string().nullable(),
  argv: z.array(z.string()),
  env: z.array(z.string()),
  cwd: z.string(),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

export interface Image extends ImageConfig {
  /** Folders of its file system, the uppermost first. */
  layers: string[];
}

/** An image with the one that it lies on; null where the store lacks either. */
export async function findImage(store: OciStore, name: string): Promise<Image | null> {
  const folder = imageFolder(store, name);
  let text: string;
  try {
    text = await readFile(join(folder, 'image.json'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const config = ImageConfig.parse(JSON.parse(text));
  const layers = [join(folder, 'rootfs')];
  if (config.base === null) return { ...config, layers };
  const base = await findImage(store, config.base);
  return base && { ...config, layers: [...layers, ...base.layers] };
}
