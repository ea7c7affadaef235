import { sql } from 'kysely';
import { CodedError } from '../protocol/errors.ts';
import { newId } from '../protocol/ids.ts';
import type { AcceptedRequest, Job } from '../protocol/job.ts';
import type { StagedInputs } from './artifacts/artifacts.ts';
import { getJob } from './get-job.ts';
import { storable, toJson } from './json.ts';
import { checkQueueDepth, countScheduled } from './queue-depth.ts';
import { toJob, WHOLE_JOB_COLUMNS } from './rows.ts';
import { insertLease, type LeaseTerms } from './sandbox-leases.ts';
import type { Store } from './store.ts';
import type { Trx } from './tables.ts';

export interface ScheduleOptions {
  request: AcceptedRequest;
  secrets: Record<string, string>;
  /** Files written by `store.artifacts.stageInputs(newId())`: the job gets that id. Committed or discarded here. */
  inputs: StagedInputs | null;
  /** For a sandbox without an agent. */
  lease?: LeaseTerms;
  /** `bodyHash` is compared when the key comes again. */
  idempotency: { key: string; bodyHash: string } | null;
}

/**
 * Writes the job, its first event and its place in the queue in one transaction, which is durable when this resolves.
 * With a key that was used before it gives the job of that time, `created: false`.
 * @throws CodedError IDEMPOTENCY_KEY_REUSED when the key's first body was another; QUEUE_FULL.
 */
export async function scheduleJob(
  store: Store,
  options: ScheduleOptions,
): Promise<{ job: Job; created: boolean }> {
  const { inputs, idempotency } = options;
  const id = inputs?.jobId ?? newId();
  try {
    const earlier = idempotency && (await findEarlier(store, idempotency));
    if (earlier) {
      await inputs?.discard();
      return { job: earlier, created: false };
    }
    await checkQueueDepth(store);
    // Before the row: a worker may take the job the moment it is there.
    await inputs?.commit();
    const job = await insert(store, id, options);
    if (job) {
      countScheduled(store);
      return { job, created: true };
    }
  } catch (error) {
    // Once the commit is under way its outcome may be unknown: what a crash leaves is swept by its missing row.
    if (error instanceof CodedError && error.code !== 'STORE_UNAVAILABLE') await inputs?.discard();
    throw error;
  }
  await inputs?.discard();
  const winner = idempotency && (await findEarlier(store, idempotency));
  if (!winner)
    throw new CodedError('STORE_UNAVAILABLE', 'the job of this Idempotency-Key was removed just now');
  return { job: winner, created: false };
}

async function findEarlier(
  store: Store,
  { key, bodyHash }: { key: string; bodyHash: string },
): Promise<Job | null> {
  const row = await store.db
    .selectFrom('idempotency_keys')
    .select(['job_id', 'body_hash'])
    .where('key', '=', key)
    .executeTakeFirst();
  if (!row) return null;
  if (row.body_hash !== bodyHash) {
    throw new CodedError(
      'IDEMPOTENCY_KEY_REUSED',
      `expected the body that Idempotency-Key ${JSON.stringify(key)} was first used with, for job ${row.job_id}`,
    );
  }
  return await getJob(store, row.job_id);
}

/** Null when another request with the same key was faster. */
function insert(store: Store, id: string, options: ScheduleOptions): Promise<Job | null> {
  const { request, secrets, idempotency, lease } = options;
  return store.db.transaction().execute(async (trx) => {
    if (idempotency) {
      // Waits for a transaction that inserts the same key now.
      const taken = await trx
        .insertInto('idempotency_keys')
        .values({ key: idempotency.key, body_hash: idempotency.bodyHash, job_id: id })
        .onConflict((conflict) => conflict.doNothing())
        .returning('key')
        .executeTakeFirst();
      if (!taken) return null;
    }
    const delivery_id = await store.queue.enqueue(trx, { jobId: id, priority: request.priority });
    const sealed = Object.keys(secrets).length > 0 ? store.secrets.seal(id, secrets) : null;
    const job = await insertRow(store, trx, { id, request, delivery_id, sealed });
    if (lease) await insertLease(trx, id, lease);
    const data = toJson({ agent: request.agent, model: request.model });
    await trx
      .insertInto('events')
      .values({ job_id: id, seq: 1, time: new Date(), type: 'job.scheduled', data })
      .execute();
    return job;
  });
}

interface NewRow {
  id: string;
  request: AcceptedRequest;
  delivery_id: string;
  sealed: Buffer | null;
}

async function insertRow(store: Store, trx: Trx, { id, request, delivery_id, sealed }: NewRow): Promise<Job> {
  const { prompt, env, files, ...rest } = request;
  const now = new Date();
  const row = await trx
    .insertInto('jobs')
    .values({
      id,
      status: 'scheduled',
      prompt: storable(prompt),
      env: toJson(env),
      files: toJson(files),
      request: toJson(rest),
      labels: toJson(rest.labels),
      priority: request.priority,
      created: now,
      queued: now,
      delivery_id,
      secrets: sealed,
      last_seq: 1,
      cost_usd: sql`0`,
    })
    .returning(WHOLE_JOB_COLUMNS)
    .executeTakeFirstOrThrow();
  return toJob(row, store.config);
}
