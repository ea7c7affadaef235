import { join, resolve } from 'node:path';

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, '../..');
/** What set-up keeps for itself; not in the repository, safe to delete. */
export const TOOLS_DATA = join(ROOT, '.tools');
