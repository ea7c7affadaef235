import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { CodedError } from '../../src/protocol/errors.ts';

const { O_RDONLY, O_NONBLOCK } = constants;

/**
 * Opens a regular file to read it, through symlinks.
 * @throws CodedError IS_A_DIRECTORY, NOT_A_FILE; what the system says.
 */
export async function openFile(path: string): Promise<FileHandle> {
  // Before it is opened: opening a pipe or a device can do something.
  refuseSpecial(path, await stat(path));
  const file = await open(path, O_RDONLY | O_NONBLOCK);
  try {
    refuseSpecial(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

export function refuseSpecial(path: string, stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isDirectory()) throw new CodedError('IS_A_DIRECTORY', `${path} is a folder.`);
  if (!stats.isFile()) throw new CodedError('NOT_A_FILE', `${path} is a pipe, a socket or a device.`);
}
