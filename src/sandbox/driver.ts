import type { Duplex } from 'node:stream';
import type { Limits } from '../protocol/job.ts';
import type { EngineState } from './engine-state.ts';

/** What a sandbox is to be. */
export interface SandboxSpec {
  /** An id as `newId` makes it; the driver names its container by it. */
  id: string;
  /** The installation that owns it: two installations on one engine leave each other's sandboxes alone. */
  installation: string;
  /** The worker that makes it. */
  worker: string;
  limits: Pick<Limits, 'cpus' | 'memory_mb' | 'disk_mb' | 'pids'>;
  privileges: 'user' | 'root';
  /** Files to start with, in place of the image's alone. */
  from?: SnapshotHandle;
}

/** The files that a sandbox had at one moment: plain JSON. */
export interface SnapshotHandle {
  driver: string;
  id: string;
  /** What the driver alone understands. */
  ref: string;
}

/** How to find a sandbox again after a restart: plain JSON, stored with the job. */
export interface SandboxHandle {
  driver: string;
  /** The id of its {@link SandboxSpec}. */
  id: string;
  /** What the driver alone understands: a container's id, say. */
  ref: string;
}

export interface ListedSandbox {
  handle: SandboxHandle;
  worker: string;
  created: Date;
}

/** The streams that a sandbox offers: calls into sandboxd, and the way out for egress. */
export type Channel = 'api' | 'egress';

/**
 * Makes, lists and destroys sandboxes on one engine. It keeps no state that a {@link SandboxHandle} does not hold,
 * so any process that reaches the engine can take over from any other.
 * Failures are CodedErrors: ENGINE_UNAVAILABLE, IMAGE_MISSING, SNAPSHOT_MISSING, SANDBOX_START_FAILED, SANDBOX_LOST.
 */
export interface Driver {
  readonly name: string;
  /** Whether root inside is mapped to nobody outside. */
  readonly rootIsSafe: boolean;
  /** Whether sandboxes can be made now; never throws. */
  check(): Promise<EngineState>;
  /** Makes and starts one. When it throws or is aborted, nothing is left of it. */
  create(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxHandle>;
  /**
   * A duplex stream to one of sandboxd's sockets; what is written waits until the daemon is up. The stream never ends
   * by itself: when the other side is gone it fails with CONNECTION_LOST. Destroying it ends the relay.
   * The signal counts until the stream is handed out.
   */
  connect(handle: SandboxHandle, channel: Channel, signal?: AbortSignal): Promise<Duplex>;
  /** Every sandbox of the installation, whatever its state. */
  list(installation: string): Promise<ListedSandbox[]>;
  /** Ends it with every process in it and removes what it wrote. Of one that is gone already: no error. */
  destroy(handle: SandboxHandle): Promise<void>;
  /** Bytes that it has written to its disk, or null where the engine itself enforces the limit. */
  diskUsage(handle: SandboxHandle): Promise<number | null>;
  /** Stops every process of it where it stands; its memory and files stay. Of one that stands still: no error. */
  pause(handle: SandboxHandle): Promise<void>;
  /** Lets its processes go on. Of one that runs: no error. */
  resume(handle: SandboxHandle): Promise<void>;
  /**
   * Keeps the files of a sandbox as they are now, what it has in memory file systems excepted. Takes room for what it
   * has written since it was made (from the image, or from another snapshot), and no more. One that runs stands still
   * for as long; one that is paused stays so. Whole or not at all: a snapshot that fails leaves nothing.
   */
  snapshot(handle: SandboxHandle): Promise<SnapshotHandle>;
  /** Every snapshot of the installation. */
  listSnapshots(installation: string): Promise<SnapshotHandle[]>;
  /** Removes it. What was made from it goes on. Of one that is gone already: no error. */
  removeSnapshot(snapshot: SnapshotHandle): Promise<void>;
  /** Lets go of connections to the engine; sandboxes go on. */
  close(): Promise<void>;
}
