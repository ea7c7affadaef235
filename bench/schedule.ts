import { post, withApi } from './api.ts';
import { type Row, row, timed } from './row.ts';

const WARM_UP = 100;
const ONE = 500;
const CLIENTS = 10;
const EACH = 100;

/** How long POST /schedule takes until the job is durable: one client after another, and many at once. */
export function schedule(): Promise<Row[]> {
  return withApi(async (url) => {
    for (let i = 0; i < WARM_UP; i++) await post(url);
    const alone: number[] = [];
    for (let i = 0; i < ONE; i++) alone.push(await timed(() => post(url)));
    const together: number[] = [];
    const began = performance.now();
    const client = async () => {
      for (let i = 0; i < EACH; i++) together.push(await timed(() => post(url)));
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const rate = Math.round((CLIENTS * EACH) / ((performance.now() - began) / 1_000));
    return [
      row('POST /schedule', alone, 'ms', 'durable, one client;'),
      row('POST /schedule, busy', together, 'ms', `durable, ${CLIENTS} clients, ${rate} jobs/s;`),
    ];
  });
}
