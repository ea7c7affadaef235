import type { Config } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';
import type { JobEvent } from '../protocol/events.ts';
import { isFinal, type Job } from '../protocol/job.ts';
import type { ControlState } from '../store/controls.ts';
import type { Fence } from '../store/fence.ts';
import { readEvents } from '../store/read-events.ts';
import { setRunning } from '../store/set-running.ts';
import { setWaiting } from '../store/set-waiting.ts';
import type { Store } from '../store/store.ts';
import { abortable } from './abortable.ts';
import { countdown } from './job-clock.ts';
import type { Place } from './slots.ts';
import { Stopped } from './stopped.ts';

/** Everything from outside that a running job obeys: cancel, pause, messages, time limits, the worker's own stop. */
export interface JobControl {
  /** Aborted once, with the CodedError (or {@link Stopped}) that the job stops for. */
  readonly signal: AbortSignal;
  /** Aborted when there is nothing more to be done for the job here, whatever `signal` was aborted for before. */
  readonly stopped: AbortSignal;
  /** Stops the job; only the first reason counts. */
  abort(reason: CodedError): void;
  /** Takes in what the store says of the job now; null: its row is gone. */
  update(state: ControlState | null): void;
  /** Told of the events that this attempt has appended, so that messages are looked for only behind them. */
  appended(events: JobEvent[]): void;
  /** The agent knows the events up to this number: the messages among them are its history. */
  sawUpTo(seq: number): void;
  /** As in AgentContext. */
  checkpoint(): Promise<JobEvent[]>;
  waitForMessage(): Promise<JobEvent>;
  /** Whether the job waits now, so that nothing is interrupted when it stops. */
  waiting(): boolean;
  /** The agent is done: the job's time limit no longer counts. */
  stopClock(): void;
}

const PAGE = 500;
/** What comes from outside and the agent is to know before its next step. */
const FOR_AGENT = new Set<JobEvent['type']>(['message.user', 'control.taken', 'control.released']);

/** The control of one attempt at a job. */
export function createJobControl(options: {
  store: Store;
  job: Job;
  fence: Fence;
  place: Place;
  config: Pick<Config, 'WAITING_TIMEOUT_S'>;
}): JobControl {
  const { store, job, fence, place, config } = options;
  const controller = new AbortController();
  const { signal } = controller;
  const stopping = new AbortController();
  let seen = 0;
  /** What has come for the agent and it has not been given yet. */
  const news: JobEvent[] = [];
  let paused = job.pause_requested;
  let isWaiting = false;
  let change = Promise.withResolvers<void>();

  const limitMs = job.request.limits.timeout_s * 1_000;
  const startedAt = job.started === null ? Date.now() : Date.parse(job.started);
  const clock = countdown(limitMs - (Date.now() - startedAt - job.waited_ms), () =>
    abort(
      new CodedError(
        'JOB_TIMEOUT',
        `The job ran for ${job.request.limits.timeout_s} s, its limits.timeout_s`,
      ),
    ),
  );
  clock.run();

  function abort(reason: CodedError) {
    clock.hold();
    if (reason instanceof Stopped && !stopping.signal.aborted) stopping.abort(reason);
    if (!signal.aborted) controller.abort(reason);
  }

  function update(state: ControlState | null) {
    if (state === null) return abort(new Stopped('ended'));
    if (state.attempt !== fence.attempt || state.status === 'scheduled') return abort(new Stopped('fenced'));
    if (isFinal(state.status)) return abort(new Stopped('ended'));
    paused = state.pause_requested;
    change.resolve();
    change = Promise.withResolvers();
  }

  /** Takes in what came for the agent since the last look; with `one`, no further than the first message. */
  async function look(one: boolean): Promise<void> {
    for (;;) {
      const page = await readEvents(store, job.id, { after: seen, limit: PAGE });
      for (const event of page) {
        seen = event.seq;
        if (FOR_AGENT.has(event.type)) news.push(event);
        if (one && event.type === 'message.user') return;
      }
      if (page.length < PAGE) return;
    }
  }

  async function nextMessage(): Promise<JobEvent | undefined> {
    await look(true);
    const at = news.findIndex(({ type }) => type === 'message.user');
    return at < 0 ? undefined : news.splice(at, 1)[0];
  }

  /** Gives the place back, looks again at each change until `find` has found, and takes a place again. */
  async function wait<T>(reason: 'question' | 'paused', find: () => Promise<T | undefined>): Promise<T> {
    await setWaiting(store, fence, reason);
    clock.hold();
    isWaiting = true;
    place.giveBack();
    const tooLong = countdown(config.WAITING_TIMEOUT_S * 1_000, () =>
      abort(
        new CodedError(
          'ANSWER_TIMEOUT',
          `The job waited for ${config.WAITING_TIMEOUT_S} s (WAITING_TIMEOUT_S), ${
            reason === 'paused' ? 'paused' : 'and nobody answered its question'
          }`,
        ),
      ),
    );
    tooLong.run();
    try {
      const found = await untilFound(find);
      tooLong.hold();
      await place.takeAgain(signal);
      await setRunning(store, fence);
      clock.run();
      return found;
    } finally {
      tooLong.hold();
      isWaiting = false;
    }
  }

  async function untilFound<T>(find: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      // Taken before the look, so that a change during it is not missed.
      const changed = change.promise;
      const found = await abortable(find(), signal);
      if (found !== undefined) return found;
      await abortable(changed, signal);
    }
  }

  return {
    signal,
    stopped: stopping.signal,
    abort,
    update,
    appended(events) {
      for (const event of events) if (event.seq === seen + 1) seen = event.seq;
    },
    sawUpTo(seq) {
      seen = seq;
    },
    async checkpoint() {
      signal.throwIfAborted();
      if (paused) await wait('paused', async () => (paused ? undefined : true));
      await look(false);
      return news.splice(0);
    },
    async waitForMessage() {
      signal.throwIfAborted();
      return wait('question', nextMessage);
    },
    // A sandbox that clients use does nothing that an end in order would have to wait for.
    waiting: () => isWaiting || job.request.agent === 'none',
    stopClock: () => clock.hold(),
  };
}
