import { request as httpRequest } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Job, StatusResponse } from '../protocol/job.ts';
import type { AddressRange } from '../sandbox/egress/addresses.ts';
import { connectTo } from '../sandbox/egress/connect.ts';
import type { Lookup } from '../sandbox/egress/lookup.ts';
import { decide } from '../sandbox/egress/policy.ts';

const ATTEMPT_MS = 10_000;
/** Pauses between the attempts: five in all, within about two minutes. */
const PAUSES_MS = [1_000, 5_000, 20_000, 60_000];

export interface CallbackOptions {
  /** Where clients reach the API, for the links. */
  baseUrl: string;
  /** Where the output of a job lies. */
  outputPath: (jobId: string) => string;
  privateAllow: readonly AddressRange[];
  lookup: Lookup;
  signal: AbortSignal;
  log: Logger;
}

/** The answer told that asking again is no use. */
class Refused extends Error {}

/**
 * POSTs the status of an ended job to its callback_url, again after a failure that may pass. The address obeys the
 * rules of a sandbox's egress, and redirects are not followed, so that a job cannot make the server call what the
 * job itself may not. Never rejects: a callback that fails for good is logged.
 */
export async function sendCallback(job: Job, options: CallbackOptions): Promise<void> {
  const { signal, log } = options;
  const url = job.request.callback_url;
  if (url === null) return;
  const body = Buffer.from(JSON.stringify(statusOf(job, options)));
  for (const pause of [0, ...PAUSES_MS]) {
    try {
      await delay(pause, undefined, { signal });
      await post(new URL(url), body, options);
      return;
    } catch (error) {
      const last = signal.aborted || error instanceof Refused || pause === PAUSES_MS.at(-1);
      log[last ? 'warn' : 'debug']({ err: error, job: job.id }, 'the callback of a job failed');
      if (last) return;
    }
  }
}

async function post(url: URL, body: Buffer, options: CallbackOptions): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const policy = { mode: 'public', allow: [] } as const;
  const verdict = await decide(policy, options.privateAllow, options.lookup, { host, port });
  if (!verdict.allowed) throw new Refused(`${host}:${port} may not be called: ${verdict.rule}`);
  if (verdict.unresolved !== null) throw new Error(`${host} has no address: ${verdict.unresolved}`);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const socket = await connectTo(verdict.addresses, port, signal);
  try {
    const servername = isIP(host) ? undefined : host;
    const stream = url.protocol === 'https:' ? tlsConnect({ socket, servername }) : socket;
    const status = await exchange(stream, url, body, signal);
    if (status >= 200 && status < 300) return;
    const passing = status >= 500 || status === 408 || status === 429;
    const message = `${host} answered ${status}, where 2xx was expected`;
    throw passing ? new Error(message) : new Refused(message);
  } finally {
    socket.destroy();
  }
}

function exchange(stream: Duplex, url: URL, body: Buffer, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = {
    host: url.host,
    'content-type': 'application/json',
    'content-length': body.length,
    'user-agent': 'containerized-agent',
    connection: 'close',
    ...(url.username && {
      authorization: `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`,
    }),
  };
  const request = httpRequest({
    method: 'POST',
    path: url.pathname + url.search,
    headers,
    signal,
    createConnection: () => stream,
  });
  request.once('error', reject);
  request.once('response', (response) => {
    resolve(response.statusCode ?? 0);
    response.on('error', () => {});
    response.destroy();
  });
  request.end(body);
  return promise;
}

/** The same as GET /status/:id answers. */
function statusOf(job: Job, options: CallbackOptions): z.infer<typeof StatusResponse> {
  const base = options.baseUrl;
  return {
    job_id: job.id,
    status: job.status,
    output: job.output && options.outputPath(job.id),
    download_link: job.output && `${base}/download/${job.id}`,
    logs_link: `${base}/logs/${job.id}`,
    created: job.created,
    started: job.started,
    completed: job.completed,
    error: job.error,
  };
}
