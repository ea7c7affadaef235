import type { ArchiveMessage } from '../protocol/sandboxd.ts';
import type { NameFault } from './entry-names.ts';

type ArchiveReason = Extract<ArchiveMessage, { event: 'left_out' }>['reason'];

/** Why something of the workspace is not in the zip. */
export type LeftOutReason =
  | ArchiveReason
  | NameFault
  /** A symlink whose target may lie outside of the tree. */
  | 'link_leaves_tree'
  /** Beyond MAX_OUTPUT_MB. */
  | 'too_large'
  /** Beyond the number of entries that a zip may have here. */
  | 'too_many_entries'
  /** It became shorter or unreadable while it was read. */
  | 'changed_while_read'
  /** Its bytes were cut off when packing was. */
  | 'cut_off';

interface ManifestEntry {
  path: string;
  type: 'file' | 'directory' | 'symlink';
  size: number;
  /** Of files: hex. */
  sha256?: string;
  /** Of symlinks. */
  target?: string;
}

/** `.agent/manifest.json` of an output: what is in it, and what is not and why. */
interface Manifest {
  job_id: string;
  /** False when packing ended before the end of the workspace; `incomplete_because` says why. */
  complete: boolean;
  incomplete_because: string | null;
  entries: ManifestEntry[];
  left_out: { path: string; reason: LeftOutReason }[];
  /** How many were left out in all: `left_out` names the first of them. */
  left_out_total: number;
}

const MOST_LEFT_OUT = 10_000;

export interface ManifestBuilder {
  add(entry: ManifestEntry): void;
  leaveOut(path: string, reason: LeftOutReason): void;
  /** Files so far, without folders and links. */
  files(): number;
  leftOut(): number;
  finish(incompleteBecause: string | null): Manifest;
}

export function createManifest(jobId: string): ManifestBuilder {
  const entries: ManifestEntry[] = [];
  const leftOut: Manifest['left_out'] = [];
  let leftOutTotal = 0;
  let files = 0;

  return {
    add(entry) {
      entries.push(entry);
      if (entry.type === 'file') files += 1;
    },
    leaveOut(path, reason) {
      leftOutTotal += 1;
      if (leftOut.length < MOST_LEFT_OUT) leftOut.push({ path: path.slice(0, 4_096), reason });
    },
    files: () => files,
    leftOut: () => leftOutTotal,
    finish: (incompleteBecause) => ({
      job_id: jobId,
      complete: incompleteBecause === null,
      incomplete_because: incompleteBecause,
      entries,
      left_out: leftOut,
      left_out_total: leftOutTotal,
    }),
  };
}
