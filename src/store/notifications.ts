import pg from 'pg';
import type { Logger } from 'pino';
import { type Connection, clientConfig } from './pool.ts';

/** Channels of NOTIFY: a job's events, logs or state changed; its worker has to look; the queue has work. */
export const CHANNELS = { job: 'agent_job', control: 'agent_control', work: 'agent_work' } as const;

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
const CHECK_MS = 10_000;
const ANNOUNCE_MS = 50;

/**
 * What other processes tell through the database. A notification is a hint to look, never the news itself:
 * after the connection was lost everyone is called, since any number of them may have been missed.
 */
export interface Notifications {
  /** Calls `fn` after each change of the job's events, logs or state; returns how to stop that. */
  subscribe(jobId: string, fn: () => void): () => void;
  /** Calls `fn` with the id of each job that its worker has to look at (cancelled, paused, a message); null means any. */
  onControl(fn: (jobId: string | null) => void): () => void;
  /** Calls `fn` when there may be work in the queue. */
  onWork(fn: () => void): () => void;
  /** Tells every subscriber of the job, in any process, within 50 ms, however often it is called until then. */
  announceSoon(jobId: string): void;
  /** Whether notifications come through now. */
  connected(): boolean;
  close(): Promise<void>;
}

/** Opens the connection that listens; it is opened again whenever it breaks. @throws when it cannot be opened at first. */
export async function openNotifications(connection: Connection, log: Logger): Promise<Notifications> {
  const jobs = new Map<string, Set<() => void>>();
  const controls = new Set<(jobId: string | null) => void>();
  const works = new Set<() => void>();
  const announced = new Map<string, NodeJS.Timeout>();
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let failures = 0;

  function call<T extends unknown[]>(fn: (...args: T) => void, ...args: T): void {
    try {
      fn(...args);
    } catch (error) {
      log.error({ err: error }, 'a subscriber of notifications threw');
    }
  }

  function tell({ channel, payload = '' }: { channel: string; payload?: string | undefined }): void {
    if (channel === CHANNELS.job) for (const fn of [...(jobs.get(payload) ?? [])]) call(fn);
    if (channel === CHANNELS.control) for (const fn of [...controls]) call(fn, payload);
    if (channel === CHANNELS.work) for (const fn of [...works]) call(fn);
  }

  function tellEveryone(): void {
    for (const fns of [...jobs.values()]) for (const fn of [...fns]) call(fn);
    for (const fn of [...controls]) call(fn, null);
    for (const fn of [...works]) call(fn);
  }

  async function connect(): Promise<void> {
    const next = new pg.Client(clientConfig(connection));
    const lost = (error?: Error) => {
      if (client !== next) return;
      client = null;
      clearTimeout(timer);
      if (closed) return;
      log.warn({ err: error }, 'the connection that listens to the database broke; it is opened again');
      again();
    };
    next.on('error', lost);
    next.on('end', () => lost());
    next.on('notification', tell);
    try {
      await next.connect();
      for (const channel of Object.values(CHANNELS)) await next.query(`listen ${channel}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    if (closed) return await next.end();
    client = next;
    failures = 0;
    check();
  }

  function again(): void {
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++);
    timer = setTimeout(() => {
      connect().then(
        () => {
          if (client) tellEveryone();
        },
        () => {
          if (!closed) again();
        },
      );
    }, wait);
  }

  /** A connection can die in silence: one that does not answer is given up. */
  function check(): void {
    timer = setTimeout(() => {
      const checked = client;
      checked?.query('select 1').then(
        () => {
          if (client === checked) check();
        },
        (error: Error) => {
          checked.emit('error', error);
          checked.end().catch(() => {});
        },
      );
    }, CHECK_MS);
  }

  const adder =
    <F>(set: Set<F>) =>
    (fn: F) => {
      set.add(fn);
      return () => void set.delete(fn);
    };

  await connect();
  return {
    subscribe(jobId, fn) {
      // A function of its own for each subscription: the same one may subscribe twice.
      const own = () => fn();
      const fns = jobs.get(jobId) ?? new Set();
      jobs.set(jobId, fns.add(own));
      return () => {
        fns.delete(own);
        if (fns.size === 0 && jobs.get(jobId) === fns) jobs.delete(jobId);
      };
    },
    onControl: adder(controls),
    onWork: adder(works),
    announceSoon(jobId) {
      if (closed || announced.has(jobId)) return;
      const announce = () => {
        announced.delete(jobId);
        // Without a connection nothing is lost: everyone is called when it is back.
        client?.query('select pg_notify($1, $2)', [CHANNELS.job, jobId]).catch(() => {});
      };
      announced.set(jobId, setTimeout(announce, ANNOUNCE_MS));
    },
    connected: () => client !== null,
    async close() {
      closed = true;
      clearTimeout(timer);
      for (const announcement of announced.values()) clearTimeout(announcement);
      const last = client;
      client = null;
      await last?.end().catch(() => {});
    },
  };
}
