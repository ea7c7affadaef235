import type { Logger } from 'pino';
import { controls } from '../store/controls.ts';
import type { Store } from '../store/store.ts';
import type { RunningJob } from './context.ts';

/** Notifications come within milliseconds; this finds what was lost with a connection. */
const POLL_MS = 2_000;

/**
 * Tells running jobs what the store says of them: at each notification, and now and then in any case.
 * @param onOther told of a job that another worker or none has.
 * @returns how to stop it, and how to look at one job now.
 */
export function watchControls(options: {
  store: Store;
  running: ReadonlyMap<string, RunningJob>;
  onOther: (jobId: string) => void;
  log: Logger;
}): { look: (jobId: string) => void; stop: () => void } {
  const { store, running, onOther, log } = options;

  async function update(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    try {
      const states = await controls(store, ids);
      for (const id of ids) running.get(id)?.control.update(states.get(id) ?? null);
    } catch (error) {
      log.debug({ err: error }, 'the running jobs could not be looked up; tried again');
    }
  }
  const look = (jobId: string) => void update([jobId]);
  const lookAtAll = () => void update([...running.keys()]);
  const unsubscribe = store.notifications.onControl((jobId) => {
    if (jobId === null) lookAtAll();
    else if (running.has(jobId)) look(jobId);
    else onOther(jobId);
  });
  const timer = setInterval(lookAtAll, POLL_MS);
  return {
    look,
    stop() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}
