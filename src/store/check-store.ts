import { sql } from 'kysely';
import { wordsOf } from '../protocol/words-of.ts';
import type { Store } from './store.ts';

/** Whether the database answers; never throws. `detail` is one line for a person. */
export async function checkStore(store: Store): Promise<{ ready: boolean; detail: string }> {
  try {
    const { rows } = await sql<{ version: string; standby: boolean }>`
      select current_setting('server_version') as version, pg_is_in_recovery() as standby`.execute(store.db);
    const [row] = rows;
    const where = store.singleNode ? 'embedded' : 'DATABASE_URL';
    if (row?.standby)
      return { ready: false, detail: `PostgreSQL ${row.version} (${where}) is a read-only standby` };
    return { ready: true, detail: `PostgreSQL ${row?.version} (${where})` };
  } catch (error) {
    return { ready: false, detail: wordsOf(error) };
  }
}
