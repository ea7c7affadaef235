import type { Duplex } from 'node:stream';

/** Carries bytes both ways, each side's end told to the other; what breaks or closes one closes the other. */
export function joinStreams(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.once('close', () => to.destroy());
    from.pipe(to);
  }
}
