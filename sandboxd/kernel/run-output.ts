import { FRAME } from '../../src/protocol/frames.ts';
import { KERNEL_DISPLAY_BYTES, KERNEL_STREAM_BYTES, type KernelDisplay } from '../../src/protocol/kernel.ts';
import type { Call } from '../serve/call.ts';
import type { KernelSink } from './kernel.ts';

/**
 * The output of a run on its way to the caller, up to the limits: kernels publish without waiting for who reads, so that
 * what is on its way is what sandboxd may have to hold.
 */
export class RunOutput implements KernelSink {
  droppedBytes = 0;
  readonly #call: Call;
  #streamed = 0;
  #displayed = 0;
  #open = true;

  constructor(call: Call) {
    this.#call = call;
  }

  get full(): boolean {
    return !this.#open || this.#streamed >= KERNEL_STREAM_BYTES;
  }

  stream(name: 'stdout' | 'stderr', bytes: Buffer): void {
    if (!this.#open) return;
    const kept = bytes.subarray(0, Math.max(0, KERNEL_STREAM_BYTES - this.#streamed));
    this.#streamed += kept.length;
    this.dropped(bytes.length - kept.length);
    if (kept.length > 0)
      this.#send(() => this.#call.send(name === 'stdout' ? FRAME.data : FRAME.stderr, kept));
  }

  display(kind: KernelDisplay['kind'], data: Record<string, string>): void {
    if (!this.#open) return;
    const bytes = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (this.#displayed + bytes > KERNEL_DISPLAY_BYTES) {
      this.dropped(bytes);
      return;
    }
    this.#displayed += bytes;
    this.#send(() => this.#call.json({ event: 'display', kind, data }));
  }

  dropped(bytes: number): void {
    this.droppedBytes += bytes;
  }

  /** Output that comes later belongs to no run. */
  close(): void {
    this.#open = false;
  }

  #send(write: () => Promise<void> | undefined): void {
    // A caller who has gone is known by the call's signal.
    void write()?.catch(() => {});
  }
}
