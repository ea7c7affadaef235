import { CodedError } from '../../protocol/errors.ts';
import { controlUntil, readControl } from '../../store/desktop-control.ts';
import type { Api } from '../options.ts';

/**
 * Whether the desktop may be acted on now: while a person has control, by whoever has its token alone.
 * @throws CodedError CONTROL_TAKEN
 */
export async function checkHands({ store }: Api, jobId: string, token: string | undefined): Promise<void> {
  if (token !== undefined && (await controlUntil(store, jobId, token)) !== null) return;
  const held = await readControl(store, jobId);
  if (held === null) return;
  throw new CodedError('CONTROL_TAKEN', `${held.holder} has control of the desktop until ${held.expires}`);
}
