import type { Store } from './store.ts';

/**
 * The job's secrets in the clear; none once it has ended.
 * @throws CodedError INTERNAL when they were encrypted with another key.
 */
export async function readSecrets(store: Store, jobId: string): Promise<Record<string, string>> {
  const row = await store.db.selectFrom('jobs').select('secrets').where('id', '=', jobId).executeTakeFirst();
  return row?.secrets ? store.secrets.open(jobId, row.secrets) : {};
}
