import autocannon from 'autocannon';
import { post, withApi } from './api.ts';
import type { Row } from './row.ts';

const CONNECTIONS = 20;
const WARM_UP_S = 3;
const SECONDS = 10;

/** Requests a second of GET /status, the client in a thread of its own on the same machine. */
export function status(): Promise<Row[]> {
  return withApi(async (url) => {
    const target = `${url}/status/${await post(url)}`;
    await load(target, WARM_UP_S);
    const { requests, latency } = await load(target, SECONDS);
    const note = `${CONNECTIONS} connections, ${SECONDS} s`;
    return [
      { name: 'GET /status, rate', p50: requests.p50, p99: requests.p1, unit: 'req/s', note },
      { name: 'GET /status', p50: latency.p50, p99: latency.p99, unit: 'ms', note },
    ];
  });
}

async function load(url: string, duration: number) {
  const result = await autocannon({ url, connections: CONNECTIONS, duration, workers: 1 });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`expected 200 alone; found ${result.non2xx} other answers and ${result.errors} errors`);
  }
  return result;
}
