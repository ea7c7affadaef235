import { z } from 'zod';

export const ListedFile = z
  .object({
    path: z.string().describe('Relative to the workspace.'),
    type: z.enum(['file', 'directory', 'symlink', 'fifo', 'socket', 'device']),
    size: z.int(),
    mode: z.int().describe('Permission bits, such as 420 for rw-r--r--.'),
    modified: z.iso.datetime().describe('RFC 3339, UTC'),
    target: z.string().nullable().describe('Where a symlink points, as it is written; it is not followed.'),
  })
  .meta({ id: 'ListedFile' });
export type ListedFile = z.infer<typeof ListedFile>;

/** A folder of the workspace, as /files tells it. */
export const Listing = z
  .object({
    path: z.string().describe('Relative to the workspace; empty for the workspace itself.'),
    entries: z.array(ListedFile),
    truncated: z.boolean().describe('Whether there is more than these entries.'),
  })
  .meta({ id: 'Listing' });
export type Listing = z.infer<typeof Listing>;

export const MAX_ENTRIES = 10_000;
