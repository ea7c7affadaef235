import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type pg from 'pg';
import { fromKysely, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { z } from 'zod';
import { CHANNELS, type Notifications } from '../notifications.ts';
import { asStoreError } from '../store-error.ts';
import type { Db } from '../tables.ts';
import { type Attempt, parseDeliveryId, toDeliveryId } from './delivery-id.ts';
import { HELD_ENTRIES, QUEUE_NAME, strayEntries } from './entries.ts';
import type { Enqueue, Queue } from './queue.ts';

const STRAY_BATCH = 1_000;
const YEARS_S = 10 * 365 * 86_400;
const LOST_AFTER_S = 30;
const LOOK_FOR_LOST_S = 5;
/** Looked for in any case this often: what becomes due, or is taken back from a lost worker, is not announced. */
const LOOK_FOR_WORK_MS = 5_000;

function refuse(error: unknown): never {
  throw asStoreError(error);
}

/** What pg-boss answers to touch and fail; its types leave the members out. */
const Settled = z.object({ affected: z.int(), settled: z.array(z.string()).default([]) });

/**
 * Opens the queue: pg-boss in the same database, over the same pool. Deliveries are retried without end,
 * since the job's row counts the lost attempts.
 */
export async function openQueue(options: {
  db: Db;
  pool: pg.Pool;
  notifications: Notifications;
  log: Logger;
}): Promise<Queue> {
  const { db, pool, notifications, log } = options;
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values).catch(refuse) },
    schema: 'pgboss',
    schedule: false,
    registerInstance: false,
    superviseIntervalSeconds: LOOK_FOR_LOST_S,
    monitorIntervalSeconds: LOOK_FOR_LOST_S,
    maintenanceIntervalSeconds: 300,
    openTelemetry: { enabled: false },
  });
  boss.on('error', (error) => log.warn({ err: error }, 'the queue met an error; it tries again'));
  boss.on('warning', (warning) => log.debug({ warning }, 'the queue warns'));
  await boss.start();
  const settings = {
    heartbeatSeconds: LOST_AFTER_S,
    retryLimit: 1_000_000,
    retryDelay: 0,
    retentionSeconds: YEARS_S,
    deleteAfterSeconds: 60,
  };
  await boss.createQueue(QUEUE_NAME, settings);
  await boss.updateQueue(QUEUE_NAME, settings);
  // pg-boss takes at most 24 hours here, and jobs may run longer: a holder is lost by its heartbeat alone.
  await sql`update pgboss.queue set expire_seconds = ${YEARS_S} where name = ${QUEUE_NAME}`.execute(db);

  const timers = new Set<NodeJS.Timeout>();

  async function enqueue(trx: Db, job: Enqueue): Promise<string> {
    const id = randomUUID();
    const { jobId, delayS = 0, again = false } = job;
    // Among equals, what was under way goes before what has not begun.
    const priority = 2 * job.priority + (again ? 1 : 0);
    await boss.send(QUEUE_NAME, { jobId }, { id, priority, startAfter: delayS, db: fromKysely(trx) });
    if (delayS === 0) await sql`select pg_notify(${CHANNELS.work}, '')`.execute(trx);
    return id;
  }

  const queue: Queue = {
    async fetch(n) {
      const options = { batchSize: n, includeMetadata: true, db: fromKysely(db) } as const;
      const jobs = await boss.fetch<{ jobId: string }>(QUEUE_NAME, options);
      // The right ones, but in no order.
      jobs.sort((a, b) => b.priority - a.priority || a.createdOn.getTime() - b.createdOn.getTime());
      return jobs.map((job) => ({ jobId: job.data.jobId, deliveryId: toDeliveryId(job) }));
    },
    async heartbeat(deliveryIds) {
      if (deliveryIds.length === 0) return [];
      const attempts = deliveryIds.map(parseDeliveryId);
      const { settled } = Settled.parse(await boss.touch(QUEUE_NAME, attempts, { db: fromKysely(db) }));
      const kept = new Set(settled);
      // The answer has no attempts: of two for one entry, only the newer can be held.
      const newest = new Map<string, number>();
      for (const { id, retryCount } of attempts) newest.set(id, Math.max(retryCount, newest.get(id) ?? 0));
      const holds = ({ id, retryCount }: Attempt) => kept.has(id) && newest.get(id) === retryCount;
      return deliveryIds.filter((deliveryId) => !holds(parseDeliveryId(deliveryId)));
    },
    async done(deliveryId) {
      await boss.deleteJob(QUEUE_NAME, parseDeliveryId(deliveryId), { db: fromKysely(db) });
    },
    async release(deliveryId, delayS = 0) {
      const { id } = parseDeliveryId(deliveryId);
      await db.transaction().execute(async (trx) => {
        // The job first, as everywhere: one order of locks cannot deadlock.
        const job = await trx
          .selectFrom('jobs')
          .select(['id', 'priority'])
          .where('delivery_id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (!job || !(await queue.holds(trx, deliveryId))) return;
        await queue.remove(trx, id);
        const delivery_id = await enqueue(trx, {
          jobId: job.id,
          priority: job.priority,
          delayS,
          again: true,
        });
        await trx.updateTable('jobs').set({ delivery_id }).where('id', '=', job.id).execute();
      });
    },
    onWork(fn) {
      const stop = notifications.onWork(fn);
      const timer = setInterval(fn, LOOK_FOR_WORK_MS);
      timers.add(timer);
      return () => {
        stop();
        clearInterval(timer);
        timers.delete(timer);
      };
    },
    enqueue,
    async remove(trx, queueId) {
      await boss.deleteJob(QUEUE_NAME, queueId, { db: fromKysely(trx) });
    },
    async holds(trx, deliveryId) {
      const attempt = parseDeliveryId(deliveryId);
      return Settled.parse(await boss.touch(QUEUE_NAME, attempt, { db: fromKysely(trx) })).affected === 1;
    },
    async releaseAbandoned() {
      const { rows } = await HELD_ENTRIES.execute(db);
      if (rows.length === 0) return 0;
      const why = { message: 'its holder is gone' };
      const { affected } = Settled.parse(await boss.fail(QUEUE_NAME, rows, why, { db: fromKysely(db) }));
      await sql`select pg_notify(${CHANNELS.work}, '')`.execute(db);
      return affected;
    },
    async removeStray() {
      const { rows } = await strayEntries(STRAY_BATCH).execute(db);
      if (rows.length === 0) return 0;
      await boss.deleteJob(
        QUEUE_NAME,
        rows.map(({ id }) => id),
        { db: fromKysely(db) },
      );
      return rows.length;
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      await boss.stop({ graceful: false, close: false });
    },
  };
  return queue;
}
