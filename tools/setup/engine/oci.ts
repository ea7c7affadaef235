import { checkHost } from '../../../src/sandbox/oci/check.ts';
import type { OciStore } from '../../../src/sandbox/oci/store.ts';
import { canInstallPackages } from './host.ts';
import { installPackages } from './packages.ts';

/** What a Debian machine may lack of what the driver oci needs; its own check says which program is missing. */
const PACKAGES = ['runc', 'e2fsprogs', 'util-linux', 'mount', 'tar', 'ca-certificates'];

/**
 * Makes the machine ready for the driver oci where packages are all that it lacks.
 * @returns null, or what is missing in a person's words.
 */
export async function prepareOci(store: OciStore, runtime: string | undefined): Promise<string | null> {
  const found = await checkHost(store, runtime);
  if (found.ready) return null;
  if (!/apt-get install/.test(found.detail) || !canInstallPackages()) return found.detail;
  await installPackages(PACKAGES);
  const again = await checkHost(store, runtime);
  return again.ready ? null : again.detail;
}
