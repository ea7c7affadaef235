import { JobStatus } from '../protocol/job.ts';
import type { Store } from './store.ts';

/** How many jobs there are of each status; 0 where there is none. */
export async function countJobs(store: Store): Promise<Record<JobStatus, number>> {
  const counts = Object.fromEntries(JobStatus.options.map((status) => [status, 0])) as Record<
    JobStatus,
    number
  >;
  const rows = await store.db
    .selectFrom('jobs')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  for (const { status, count } of rows) counts[status] = count;
  return counts;
}
