import { join } from 'node:path';
import type { Config } from '../../config.ts';

/** Users of a sandbox, from root on, that exist as other users outside. */
export const MAPPED_USERS = 65_536;

/** Where the engine keeps what it has. */
export interface OciStore {
  /** An absolute path without a comma or a colon: an overlay's options could not name it. */
  folder: string;
  /** The user outside that root inside is; the 65,536 users from it on own the files of the sandboxes. */
  firstUser: number;
}

/** The store that the settings name. */
export function ociStore(settings: Pick<Config, 'OCI_DIR' | 'OCI_FIRST_UID'>): OciStore {
  return { folder: settings.OCI_DIR, firstUser: settings.OCI_FIRST_UID };
}

/** The folder of an image: its `rootfs`, its owners shifted, and its `image.json`. */
export function imageFolder({ folder, firstUser }: OciStore, image: string): string {
  return join(folder, 'images', String(firstUser), encodeURIComponent(image));
}

export const sandboxesFolder = ({ folder }: OciStore): string => join(folder, 'sandboxes');

export const snapshotsFolder = ({ folder }: OciStore): string => join(folder, 'snapshots');

/** The folder of a snapshot: `snapshot.json`, and its disks, `0.img` and on, the newest first. */
export function snapshotFolder(store: OciStore, installation: string, id: string): string {
  return join(snapshotsFolder(store), encodeURIComponent(installation), encodeURIComponent(id));
}

export function installationFolder(store: OciStore, installation: string): string {
  return join(sandboxesFolder(store), encodeURIComponent(installation));
}

/** What a sandbox is, outside: all of it lies in one folder, and its processes in one cgroup. */
export interface SandboxPlace {
  id: string;
  folder: string;
  /** Within each of the kernel's hierarchies. */
  cgroup: string;
}

export function sandboxPlace(store: OciStore, installation: string, id: string): SandboxPlace {
  const name = encodeURIComponent(id);
  return {
    id,
    folder: join(installationFolder(store, installation), name),
    cgroup: `/containerized-agent/${name}`,
  };
}
