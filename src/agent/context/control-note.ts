import type { JobEvent } from '../../protocol/events.ts';

/** What the model is told when a person takes control of the desktop or gives it back. */
export function controlNote(
  event: Extract<JobEvent, { type: 'control.taken' | 'control.released' }>,
): string {
  const who = JSON.stringify(event.data.holder);
  return event.type === 'control.taken'
    ? `[A person (${who}) has taken control of the desktop: your own mouse and keyboard input is refused until they give it back. You can watch with screenshots, and go on with everything that needs no desktop.]`
    : `[The person (${who}) no longer has control of the desktop; it is yours again. Take a screenshot: things may have changed.]`;
}
