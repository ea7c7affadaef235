import type { EventData } from '../../protocol/events.ts';
import type { EgressConnection } from './serve-egress.ts';

type EgressEvent = EventData<'egress'>;

/** How many different targets get an event of their own in one interval; further ones share one. */
const MAX_TARGETS = 200;

export interface EgressRecorder {
  record(connection: EgressConnection): void;
  /** Emits what has been counted and not been told. Nothing is recorded afterwards. */
  close(): void;
}

/**
 * Turns connections into events, however many there are: the first of a target and verdict becomes one at once, the
 * rest of an interval one more that counts them.
 */
export function coalesceEgress(emit: (event: EgressEvent) => void, intervalMs = 10_000): EgressRecorder {
  let pending = new Map<string, EgressEvent>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function flush(): void {
    timer = undefined;
    const counted = [...pending.values()].filter((event) => event.count > 0);
    for (const event of counted) emit(event);
    // A target that went on stays known for one more interval, so that a steady stream is one event in each.
    pending = new Map(counted.map((event) => [keyOf(event), { ...event, count: 0 }]));
    if (counted.length > 0 && !closed) arm();
  }

  function arm(): void {
    timer ??= setTimeout(flush, intervalMs).unref();
  }

  function record({ host, port, address, allowed, rule }: EgressConnection): void {
    if (closed) return;
    const event = { host, port, address, allowed, rule, count: 1 };
    const known = pending.get(keyOf(event));
    if (known) {
      known.count += 1;
      known.address = address ?? known.address;
    } else if (pending.size < MAX_TARGETS) {
      pending.set(keyOf(event), { ...event, count: 0 });
      emit(event);
    } else {
      const others = {
        host: '(others)',
        port: 0,
        address: null,
        allowed,
        rule: 'too many targets',
        count: 1,
      };
      const seen = pending.get(keyOf(others));
      if (seen) seen.count += 1;
      else pending.set(keyOf(others), others);
    }
    arm();
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
    flush();
    pending.clear();
  }

  return { record, close };
}

const keyOf = ({ host, port, allowed, rule }: EgressEvent): string => `${host} ${port} ${allowed} ${rule}`;
