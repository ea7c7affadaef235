import { rmSync } from 'node:fs';
import type { Server } from 'node:net';

/** Listens on a Unix socket that only this user can use; one that a dead process left there goes. */
export async function listenOn(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // The socket is made within the call, so that nothing else is made under this mask.
  const mask = process.umask(0o177);
  try {
    server.listen(path, resolve);
  } finally {
    process.umask(mask);
  }
  await promise;
  server.off('error', reject);
  server.on('error', () => {});
}
