import { KERNEL_EARLIER_BYTES } from '../../src/protocol/kernel.ts';
import { Ring } from '../process/ring.ts';
import type { KernelSink } from './kernel.ts';

/** Takes what a kernel shows while it runs nothing, of threads and timers: the end of it is told with the next run. */
export class LateOutput implements KernelSink {
  readonly full = false;
  #ring = new Ring(KERNEL_EARLIER_BYTES);

  stream(_name: 'stdout' | 'stderr', bytes: Buffer): void {
    this.#ring.write(bytes);
  }

  display(_kind: string, data: Record<string, string>): void {
    const text = data['text/plain'];
    if (text !== undefined) this.#ring.write(Buffer.from(`${text}\n`));
  }

  dropped(): void {}

  /** What has come since this was asked last. */
  take(): string {
    const ring = this.#ring;
    if (ring.total === 0) return '';
    this.#ring = new Ring(KERNEL_EARLIER_BYTES);
    return ring.read(ring.start, KERNEL_EARLIER_BYTES).toString();
  }
}
