import { type RawBuilder, sql } from 'kysely';
import { CodedError, toErrorInfo } from '../protocol/errors.ts';
import type { JobStatus } from '../protocol/job.ts';
import { expireControl } from './desktop-control.ts';
import { endRow } from './end-row.ts';
import { type LockedJob, lockJob } from './lock-job.ts';
import { loseAttempt } from './lose-attempt.ts';
import { hasEntry } from './queue/entries.ts';
import { requeueRow } from './requeue-row.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';
import { removeLostWorkers } from './workers.ts';

/** Most jobs of each kind in one sweep: the rest goes with the next one. */
const BATCH = 500;

/** What a sweep did, as counts of jobs. */
export interface Swept {
  queueTimeouts: number;
  answerTimeouts: number;
  /** Their worker was lost: back in the queue, or failed. */
  lost: number;
  /** Scheduled, but not in the queue. */
  enqueued: number;
}

/**
 * Finds the jobs that nobody would move any more, and moves them. To be called every few seconds, by any number of
 * processes: each job is locked and looked at again before it is changed.
 */
export async function sweepJobs(store: Store): Promise<Swept> {
  const { QUEUE_TIMEOUT_S, WAITING_TIMEOUT_S } = store.config;
  const swept = {
    queueTimeouts: await each(store, ['scheduled'], olderThan('queued', QUEUE_TIMEOUT_S), (trx, job) =>
      fail(
        store,
        trx,
        job,
        new CodedError('QUEUE_TIMEOUT', `no worker took the job within ${QUEUE_TIMEOUT_S} s`),
      ),
    ),
    answerTimeouts: await each(
      store,
      ['waiting'],
      olderThan('waiting_since', WAITING_TIMEOUT_S),
      (trx, job) =>
        fail(
          store,
          trx,
          job,
          new CodedError('ANSWER_TIMEOUT', `no answer came within ${WAITING_TIMEOUT_S} s`),
        ),
    ),
    lost: await each(store, ['running', 'waiting'], without('held'), async (trx, job) => {
      const lostAttempts = await loseAttempt(store, trx, job);
      if (lostAttempts === null) return;
      await requeueRow(store, trx, job, { reason: 'the worker that ran it was lost', lostAttempts });
    }),
    enqueued: await each(store, ['scheduled'], without('any'), async (trx, { id, priority }) => {
      const delivery_id = await store.queue.enqueue(trx, { jobId: id, priority });
      await trx.updateTable('jobs').set({ delivery_id }).where('id', '=', id).execute();
    }),
  };
  await expireControl(store);
  await store.queue.removeStray();
  await removeLostWorkers(store);
  return swept;
}

const olderThan = (column: 'queued' | 'waiting_since', seconds: number) =>
  sql<boolean>`${sql.ref(column)} < now() - make_interval(secs => ${seconds})`;
const without = (which: 'held' | 'any') => sql<boolean>`not ${hasEntry(which)}`;

async function fail(store: Store, trx: Trx, job: LockedJob, error: CodedError): Promise<void> {
  await endRow(store, trx, job, { status: 'failed', error: toErrorInfo(error), summary: null });
}

/** Changes each job of these statuses that meets the condition, in a transaction of its own; gives how many. */
async function each(
  store: Store,
  statuses: JobStatus[],
  condition: RawBuilder<boolean>,
  change: (trx: Trx, job: LockedJob) => Promise<void>,
): Promise<number> {
  const matching = (db: Store['db']) =>
    db.selectFrom('jobs').select('id').where('status', 'in', statuses).where(condition);
  const found = await matching(store.db).limit(BATCH).execute();
  let count = 0;
  for (const { id } of found) {
    count += await store.db.transaction().execute(async (trx) => {
      const job = await lockJob(trx, id);
      // Looked at again under the lock: it may have moved since.
      const still = job && (await matching(trx).where('id', '=', id).executeTakeFirst());
      if (!still) return 0;
      await change(trx, job);
      return 1;
    });
  }
  return count;
}
