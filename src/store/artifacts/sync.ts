import { open } from 'node:fs/promises';

/** Waits until a file's bytes are on the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Waits until the names in a folder are on the disk: a rename alone may be lost with the power. */
export const syncFolder = syncFile;
