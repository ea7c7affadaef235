import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { CodedError } from '../../protocol/errors.ts';
import { newId } from '../../protocol/ids.ts';
import { wordsOf } from '../../protocol/words-of.ts';
import type { Driver, ListedSandbox, SandboxHandle, SandboxSpec, SnapshotHandle } from '../driver.ts';
import { type EngineState, engineState } from '../engine-state.ts';
import { defaultImage } from '../image.ts';
import { bundleConfig } from './bundle.ts';
import { countsSwap, setFrozen } from './cgroup.ts';
import { checkHost } from './check.ts';
import { diskTemplate } from './disk.ts';
import { findImage, type Image } from './images.ts';
import { launch } from './launch.ts';
import { openFilesLimit } from './open-files.ts';
import { reach } from './reach.ts';
import { removeSandbox } from './remove.ts';
import {
  listSnapshots,
  removeSnapshot,
  removeUnfinishedSnapshots,
  takeSnapshot,
  useSnapshot,
} from './snapshot.ts';
import { claimFolder, isMissing, listStates, readPid, writeState } from './state.ts';
import { type OciStore, type SandboxPlace, sandboxPlace } from './store.ts';

const NAME = 'oci';

export interface OciDriverOptions {
  store: OciStore;
  /** Default: the image that set-up makes from this source. */
  image?: string | undefined;
  /** The OCI runtime: a name to find in PATH, or a path. Default: runc. */
  runtime?: string | undefined;
  log: Logger;
}

/** Sandboxes as containers of an OCI runtime that this process starts itself, as root: no engine between. */
export function ociDriver(options: OciDriverOptions): Driver {
  const { store, log, runtime = 'runc' } = options;
  const imageName = options.image ?? defaultImage();
  const place = (installation: string, id: string) => sandboxPlace(store, installation, id);

  async function image(name = imageName): Promise<Image> {
    const found = await findImage(store, name);
    if (found) return found;
    const hint = 'Make it with npm start; one of SANDBOX_IMAGE is taken from a Docker engine that has it.';
    throw new CodedError('IMAGE_MISSING', `${store.folder} has no image ${name}.`, { hint });
  }

  async function start(spec: SandboxSpec, at: SandboxPlace): Promise<void> {
    const origin = spec.from ? await useSnapshot(store, spec.from, at) : { image: imageName, below: [] };
    if (origin === null) throw new CodedError('SNAPSHOT_MISSING', `There is no snapshot ${spec.from?.id}.`);
    await writeState(at, spec, origin.image);
    const [found, disk, swap] = await Promise.all([
      image(origin.image),
      diskTemplate(store, spec.limits.disk_mb),
      countsSwap(),
    ]);
    const config = bundleConfig(spec, {
      image: found,
      rootfs: join(at.folder, 'rootfs'),
      firstUser: store.firstUser,
      cgroup: at.cgroup,
      openFiles: openFilesLimit(),
      swap,
    });
    await writeFile(join(at.folder, 'config.json'), JSON.stringify(config));
    await launch(at, { image: found, below: origin.below, disk, runtime });
  }

  async function create(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxHandle> {
    signal?.throwIfAborted();
    const at = place(spec.installation, spec.id);
    await claimFolder(at).catch((error) => {
      throw startFailed(error);
    });
    try {
      // What has begun is waited for, as what it makes must be known to be removed.
      await start(spec, at);
      signal?.throwIfAborted();
      return { driver: NAME, id: spec.id, ref: spec.installation };
    } catch (error) {
      await removeSandbox(at).catch((failure: unknown) =>
        log.warn({ err: failure, sandbox: spec.id }, 'a sandbox that failed to start was left behind'),
      );
      if (signal?.aborted) throw signal.reason;
      throw startFailed(error);
    }
  }

  async function connect(...[handle, channel, signal]: Parameters<Driver['connect']>) {
    return reach(place(handle.ref, handle.id), channel, signal);
  }

  async function list(installation: string): Promise<ListedSandbox[]> {
    await removeUnfinishedSnapshots(store, installation);
    const found = await listStates(store, installation);
    return found.map(({ id, worker, created }) => ({
      handle: { driver: NAME, id, ref: installation },
      worker,
      created,
    }));
  }

  async function destroy(handle: SandboxHandle): Promise<void> {
    await removeSandbox(place(handle.ref, handle.id)).catch((error) => {
      throw new CodedError('ENGINE_UNAVAILABLE', `The sandbox cannot be removed: ${wordsOf(error)}`, {
        cause: error,
      });
    });
  }

  /** The file system that its disk is has its own limit. */
  async function diskUsage(handle: SandboxHandle): Promise<null> {
    if ((await readPid(place(handle.ref, handle.id))) !== null) return null;
    throw new CodedError('SANDBOX_LOST', 'The sandbox is not there any more.');
  }

  /** What the driver does with a sandbox that must be there. */
  async function present<T>(action: () => Promise<T>): Promise<T> {
    return action().catch((error) => {
      if (isMissing(error))
        throw new CodedError('SANDBOX_LOST', 'The sandbox is not there any more.', { cause: error });
      throw new CodedError('ENGINE_UNAVAILABLE', wordsOf(error), { cause: error });
    });
  }

  const pause = ({ ref, id }: SandboxHandle) => present(() => setFrozen(place(ref, id).cgroup, 'frozen'));
  const resume = ({ ref, id }: SandboxHandle) => present(() => setFrozen(place(ref, id).cgroup, 'thawed'));

  async function snapshot({ ref, id }: SandboxHandle): Promise<SnapshotHandle> {
    const made = newId();
    await present(() => takeSnapshot(store, ref, place(ref, id), made));
    return { driver: NAME, id: made, ref };
  }

  async function snapshots(installation: string): Promise<SnapshotHandle[]> {
    const ids = await listSnapshots(store, installation);
    return ids.map((id) => ({ driver: NAME, id, ref: installation }));
  }

  async function check(): Promise<EngineState> {
    const host = await checkHost(store, runtime);
    if (!host.ready) return engineState(host, null);
    try {
      await image();
      return engineState(host, { ready: true, detail: `image ${imageName}` });
    } catch (error) {
      const hint = error instanceof CodedError ? ` ${error.hint}` : '';
      return engineState(host, { ready: false, detail: `${wordsOf(error)}${hint}` });
    }
  }

  // Nothing is held.
  async function close(): Promise<void> {}

  return {
    name: NAME,
    rootIsSafe: true,
    check,
    create,
    connect,
    list,
    destroy,
    diskUsage,
    pause,
    resume,
    snapshot,
    listSnapshots: snapshots,
    removeSnapshot: ({ ref, id }) => removeSnapshot(store, ref, id),
    close,
  };
}

function startFailed(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError('SANDBOX_START_FAILED', `The sandbox did not start: ${wordsOf(error)}`, {
    cause: error,
  });
}
