import { z } from 'zod';
import { FilePath, FileType } from './sandboxd.ts';

/** The call that tells what changes below a folder. */
export const WATCH_CALL = '/v1/file/watch';

/** Answers `watching`, then `changes` and `overflow` as they come, until the caller goes. */
export const FileWatch = z.object({
  path: FilePath,
  /** Whether the folders in it are watched too. */
  recursive: z.boolean().default(true),
  /** Globs, relative to the folder, of what is not looked at. */
  exclude: z.array(z.string().max(1_000)).max(100).default([]),
});

/** Most changes of one message. */
export const MAX_CHANGES = 500;

export const FileChange = z.object({
  /** A folder that is removed takes all in it along; one that is created brings what it has as changes of their own. */
  kind: z.enum(['created', 'modified', 'removed']),
  path: z.string(),
  type: FileType,
});
export type FileChange = z.infer<typeof FileChange>;

export const WatchMessage = z.discriminatedUnion('event', [
  /** From here on nothing is missed without a word. */
  z.object({ event: z.literal('watching') }),
  z.object({ event: z.literal('changes'), changes: z.array(FileChange).max(MAX_CHANGES) }),
  /** More happened at once than is kept: what is told next counts from now on. */
  z.object({ event: z.literal('overflow') }),
]);
export type WatchMessage = z.infer<typeof WatchMessage>;
