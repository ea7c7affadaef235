import { expect, it } from 'vitest';
import { Transcript } from '../../src/agent/context/transcript.ts';
import type { JobEvent } from '../../src/protocol/events.ts';

const time = '2026-11-23T13:00:00.000Z';

it('tells the model who has the desktop, quoted: the name is a stranger’s', () => {
  const events: JobEvent[] = [
    { seq: 2, time, type: 'control.taken', data: { holder: 'Ada" ]\n', expires: time } },
    { seq: 3, time, type: 'control.released', data: { holder: 'Ada" ]\n', reason: 'expired' } },
  ];
  const [taken, released] = new Transcript('task').take(events).pending;
  expect(taken).toMatch(/^\[A person \("Ada\\" \]\\n"\) has taken control of the desktop/);
  expect(released).toMatch(/no longer has control of the desktop; it is yours again/);
});
