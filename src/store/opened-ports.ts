import type { EventData } from '../protocol/events.ts';
import type { Store } from './store.ts';

/** Most links of one job that are of interest. */
const MOST = 5;

/** What agents have opened to people, by the job's id: of each port what was said last, the newest first. */
export async function openedPorts(
  { db }: Pick<Store, 'db'>,
  jobIds: readonly string[],
): Promise<Map<string, EventData<'port.opened'>[]>> {
  if (jobIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('events')
    .select(['job_id', 'data'])
    .where('job_id', 'in', jobIds)
    .where('type', '=', 'port.opened')
    .orderBy('seq', 'desc')
    .execute();
  const found = new Map<string, EventData<'port.opened'>[]>();
  for (const { job_id, data } of rows) {
    const opened = data as EventData<'port.opened'>;
    const known = found.get(job_id) ?? [];
    if (known.length < MOST && !known.some(({ port }) => port === opened.port)) known.push(opened);
    found.set(job_id, known);
  }
  return found;
}
