import type { JobEvent } from '../protocol/events.ts';
import { lockLive } from './lock-job.ts';
import { notifyControl } from './notify.ts';
import type { Store } from './store.ts';
import { writeEvents } from './write-events.ts';

/**
 * Adds a user's message to a job that has not ended; its worker is told.
 * @throws CodedError JOB_NOT_FOUND, JOB_ENDED
 */
export async function addMessage(store: Store, id: string, text: string): Promise<JobEvent> {
  return await store.db.transaction().execute(async (trx) => {
    const { last_seq } = await lockLive(trx, id);
    await trx
      .updateTable('jobs')
      .set({ last_seq: last_seq + 1 })
      .where('id', '=', id)
      .execute();
    const [event] = await writeEvents(trx, id, last_seq + 1, [{ type: 'message.user', data: { text } }]);
    if (!event) throw new Error('expected the event that was just written');
    await notifyControl(trx, id);
    return event;
  });
}
