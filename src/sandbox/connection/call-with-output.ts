import { FRAME, type Frame } from '../../protocol/frames.ts';
import type { Mux } from '../../protocol/mux/mux.ts';
import type { OutputOptions } from '../sandbox.ts';
import { type CallRequest, callFrames } from './call.ts';

/** Makes a call that streams output: the output goes to the caller's function, the messages to `onMessage`. */
export async function callWithOutput(
  session: Mux,
  request: CallRequest,
  onOutput: OutputOptions['onOutput'],
  onMessage: (frame: Frame) => void,
): Promise<void> {
  for await (const frame of callFrames(session, request)) {
    if (frame.kind === FRAME.json) onMessage(frame);
    else await onOutput?.(frame.kind === FRAME.data ? 'stdout' : 'stderr', frame.payload);
  }
}
