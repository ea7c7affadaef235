import { z } from 'zod';
import { Id } from '../protocol/ids.ts';
import type { SandboxHandle } from '../sandbox/driver.ts';

const Handle = z.object({ driver: z.string(), id: Id, ref: z.string() });

/** The handle that a job's row holds; null where it has none, or one that another driver made. */
export function readHandle(stored: unknown, driver: { name: string }): SandboxHandle | null {
  const handle = Handle.safeParse(stored);
  return handle.success && handle.data.driver === driver.name ? handle.data : null;
}
