import Docker from 'dockerode';
import type { Logger } from 'pino';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import type { Driver, ListedSandbox, SandboxHandle, SandboxSpec, SnapshotHandle } from '../driver.ts';
import { type EngineState, engineState } from '../engine-state.ts';
import { defaultImage } from '../image.ts';
import { checkEngine } from './check.ts';
import { containerName, containerOptions, LABEL } from './container.ts';
import { answered, type EngineFacts, engineAnswer, engineError, readFacts } from './engine.ts';
import { openRelay } from './relay.ts';
import { removeContainer } from './remove.ts';
import { commitContainer, removeSnapshotImage, snapshotIds, snapshotImage } from './snapshot.ts';

const NAME = 'docker';

/** What an inspection "with size" tells of a container's disk. */
const Usage = z.object({
  SizeRw: z.int().default(0),
  HostConfig: z.object({ StorageOpt: z.record(z.string(), z.string()).nullish() }),
});

export interface DockerDriverOptions {
  /** Default: the image that set-up makes from this source. */
  image?: string | undefined;
  /** OCI runtime such as runsc; default: the engine's own. */
  runtime?: string | undefined;
  log: Logger;
}

/** Sandboxes as containers of the Docker engine that DOCKER_HOST names, or that listens at its usual socket. */
export function dockerDriver(options: DockerDriverOptions): Driver {
  const docker = new Docker();
  const image = options.image ?? defaultImage();
  let known: Promise<EngineFacts> | undefined;
  const refused = { diskQuota: false, openFiles: false };

  /** What the engine can do does not change while it runs; a failure to ask is not remembered. */
  function facts(): Promise<EngineFacts> {
    known ??= readFacts(docker).catch((error) => {
      known = undefined;
      throw error;
    });
    return known;
  }

  /** Makes and starts the container; the engine's refusal of what it cannot do is learned from, once. */
  async function start(
    spec: SandboxSpec,
    { cpus, diskQuota }: EngineFacts,
    signal?: AbortSignal,
  ): Promise<string> {
    for (;;) {
      signal?.throwIfAborted();
      const asked = {
        image: spec.from ? snapshotImage(spec.from.id) : image,
        runtime: options.runtime,
        hostCpus: cpus,
        diskQuota: diskQuota && !refused.diskQuota,
        openFiles: !refused.openFiles,
      };
      try {
        const container = await answered(docker.createContainer(containerOptions(spec, asked)));
        signal?.throwIfAborted();
        await answered(container.start());
        return container.id;
      } catch (error) {
        const { words } = engineAnswer(error);
        // Only the engine knows whether its xfs is mounted with quotas; without them the worker watches the disk.
        if (asked.diskQuota && /storage-opt|pquota/i.test(words)) refused.diskQuota = true;
        // An engine that is itself in a container may not raise the limit; then its own holds.
        else if (asked.openFiles && /setting rlimit/i.test(words)) refused.openFiles = true;
        else throw error;
        await removeContainer(docker, containerName(spec.id));
      }
    }
  }

  async function create(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxHandle> {
    signal?.throwIfAborted();
    const engine = await facts().catch((error) => {
      throw engineError(error, image, signal);
    });
    try {
      const ref = await start(spec, engine, signal);
      signal?.throwIfAborted();
      return { driver: NAME, id: spec.id, ref };
    } catch (error) {
      const taken = /already in use/.test(engineAnswer(error).words);
      // By its name, since a call that got no answer may have made it all the same.
      if (!taken) {
        await removeContainer(docker, containerName(spec.id)).catch((failure: unknown) =>
          options.log.warn(
            { err: failure, sandbox: spec.id },
            'a sandbox that failed to start was left behind',
          ),
        );
      }
      if (spec.from && /no such image/i.test(engineAnswer(error).words)) {
        throw new CodedError('SNAPSHOT_MISSING', `There is no snapshot ${spec.from.id}.`, { cause: error });
      }
      throw engineError(error, image, signal);
    }
  }

  async function connect(...[handle, channel, signal]: Parameters<Driver['connect']>) {
    signal?.throwIfAborted();
    try {
      return await openRelay(docker, handle.ref, channel, signal);
    } catch (error) {
      throw engineError(error, image, signal);
    }
  }

  async function list(installation: string): Promise<ListedSandbox[]> {
    const filters = { label: [`${LABEL.installation}=${installation}`] };
    const found = await answered(docker.listContainers({ all: true, filters })).catch((error) => {
      throw engineError(error, image);
    });
    return found.map(({ Id, Labels, Created }) => ({
      handle: { driver: NAME, id: Labels[LABEL.sandbox] ?? '', ref: Id },
      worker: Labels[LABEL.worker] ?? '',
      created: new Date(Created * 1000),
    }));
  }

  async function destroy(handle: SandboxHandle): Promise<void> {
    await removeContainer(docker, handle.ref).catch((error) => {
      throw engineError(error, image);
    });
  }

  async function diskUsage(handle: SandboxHandle): Promise<number | null> {
    try {
      const withSize: { size: boolean; abortSignal?: AbortSignal } = { size: true };
      const found = Usage.parse(await answered(docker.getContainer(handle.ref).inspect(withSize)));
      return found.HostConfig.StorageOpt?.size ? null : found.SizeRw;
    } catch (error) {
      throw engineError(error, image);
    }
  }

  /** Of a container that is in that state already: no error. */
  async function inState(call: Promise<unknown>, already: RegExp): Promise<void> {
    await answered(call).catch((error) => {
      if (!already.test(engineAnswer(error).words)) throw engineError(error, image);
    });
  }

  async function snapshot(handle: SandboxHandle): Promise<SnapshotHandle> {
    try {
      const { Config } = await answered(docker.getContainer(handle.ref).inspect());
      const ref = Config.Labels[LABEL.installation] ?? '';
      return { driver: NAME, id: await commitContainer(docker, handle.ref, ref), ref };
    } catch (error) {
      throw engineError(error, image);
    }
  }

  async function listSnapshots(installation: string): Promise<SnapshotHandle[]> {
    const ids = await snapshotIds(docker, installation).catch((error) => {
      throw engineError(error, image);
    });
    return ids.map((id) => ({ driver: NAME, id, ref: installation }));
  }

  async function removeSnapshot({ id }: SnapshotHandle): Promise<void> {
    await removeSnapshotImage(docker, id).catch((error) => {
      throw engineError(error, image);
    });
  }

  async function check(): Promise<EngineState> {
    try {
      known = undefined;
      return await checkEngine(docker, await facts(), image, options.runtime);
    } catch (error) {
      const found = engineError(error, image);
      const detail = found instanceof CodedError ? `${found.message} ${found.hint}` : String(found);
      return engineState({ ready: false, detail }, null);
    }
  }

  // Idle connections to the engine do not keep the process alive, and each stream belongs to who opened it.
  async function close(): Promise<void> {}

  return {
    name: NAME,
    rootIsSafe: false,
    check,
    create,
    connect,
    list,
    destroy,
    diskUsage,
    pause: ({ ref }) => inState(docker.getContainer(ref).pause(), /already paused/i),
    resume: ({ ref }) => inState(docker.getContainer(ref).unpause(), /not paused/i),
    snapshot,
    listSnapshots,
    removeSnapshot,
    close,
  };
}
