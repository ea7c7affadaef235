import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { JobEvent } from '../protocol/events.ts';
import {
  type LogType,
  Problem,
  type ScheduleRequest,
  ScheduleResponse,
  StatusResponse,
} from '../protocol/job.ts';
import { readServerSentEvents } from './server-sent-events.ts';

/** How often a stream that breaks is taken up again before the server counts as gone, and the first pause. */
const RECONNECTS = 8;
const RECONNECT_MS = 250;

/** A server told why it would not do something. */
export class RequestRefused extends Error {}

/** Nothing answers where a server was expected. */
export class NoServer extends Error {}

export type Status = z.infer<typeof StatusResponse>;

/** A server's HTTP API, as a client over the network sees it. */
export interface Client {
  schedule(request: ScheduleRequest): Promise<z.infer<typeof ScheduleResponse>>;
  status(jobId: string): Promise<Status>;
  cancel(jobId: string): Promise<void>;
  /** The job's events from the first to the last, across cut connections. */
  events(jobId: string, signal?: AbortSignal): AsyncGenerator<JobEvent>;
  /** What a log holds from this byte on; empty when there is nothing new. */
  log(jobId: string, type: LogType, from: number): AsyncGenerator<Buffer>;
  /** A log from its first byte on as it grows, until the job ends or the connection is cut. */
  followLog(jobId: string, type: LogType, signal: AbortSignal): AsyncGenerator<{ at: number; bytes: Buffer }>;
  /** Saves the output; what was saved of a download that fails is removed. Gives its size in bytes. */
  download(jobId: string, path: string): Promise<number>;
}

/**
 * @param server such as http://127.0.0.1:8000
 * @param key one of the server's API_KEYS, where it has any.
 */
export function createClient(server: string, key?: string): Client {
  const base = server.replace(/\/+$/, '');
  const auth: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};

  async function request(path: string, init: RequestInit & { accept?: number[] } = {}): Promise<Response> {
    const { accept = [], ...rest } = init;
    const headers = { ...auth, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`${base}${path}`, { ...rest, headers }).catch((error: unknown) => {
      if (init.signal?.aborted) throw error;
      const why =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new NoServer(
        `No server answers at ${base} (${why}). Start one with "npm start", or name another one.`,
      );
    });
    if (response.ok || accept.includes(response.status)) return response;
    const problem = Problem.safeParse(await response.json().catch(() => null));
    if (!problem.success) throw new RequestRefused(`${base}${path} answered ${response.status}`);
    const { code, detail, hint, errors = [] } = problem.data;
    const faults = errors.map((fault) => `\n  ${fault.path}: ${fault.message}`).join('');
    throw new RequestRefused(`${code}: ${detail}${faults}${hint ? `\n${hint}` : ''}`);
  }

  async function* events(jobId: string, signal?: AbortSignal): AsyncGenerator<JobEvent> {
    let after = 0;
    let failures = 0;
    for (;;) {
      try {
        const headers = { accept: 'text/event-stream', 'last-event-id': String(after) };
        const response = await request(`/events/${jobId}`, { headers, signal });
        // Nothing comes after what is known: the job has ended.
        if (response.status === 204) return;
        for await (const data of readServerSentEvents(response.body ?? new ReadableStream())) {
          const event = JobEvent.parse(JSON.parse(data)) as JobEvent;
          failures = 0;
          after = event.seq;
          yield event;
          if (event.type === 'job.ended') return;
        }
      } catch (error) {
        if (signal?.aborted || error instanceof RequestRefused || error instanceof z.ZodError) throw error;
        if (++failures > RECONNECTS) throw error;
      }
      await delay(RECONNECT_MS * 2 ** failures, undefined, { signal });
    }
  }

  async function* log(jobId: string, type: LogType, from: number): AsyncGenerator<Buffer> {
    const headers = { range: `bytes=${from}-` };
    const response = await request(`/logs/${jobId}/${type}`, { headers, accept: [416] });
    if (response.status === 416) return void (await response.body?.cancel());
    // A server that knows no ranges sends all of it.
    let skip = response.status === 206 ? 0 : from;
    for await (const chunk of response.body ?? []) {
      const rest = Buffer.from(chunk).subarray(skip);
      skip -= chunk.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  }

  return {
    async schedule(body) {
      const response = await request('/schedule', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      return ScheduleResponse.parse(await response.json());
    },
    status: async (jobId) => StatusResponse.parse(await (await request(`/status/${jobId}`)).json()),
    async cancel(jobId) {
      const response = await request(`/cancel/${jobId}`, { method: 'POST', accept: [409] });
      await response.body?.cancel();
    },
    events,
    log,
    async *followLog(jobId, type, signal) {
      const response = await request(`/logs/${jobId}/${type}?follow=1`, { signal });
      let at = 0;
      for await (const chunk of response.body ?? []) {
        yield { at, bytes: Buffer.from(chunk) };
        at += chunk.length;
      }
    },
    async download(jobId, path) {
      const response = await request(`/download/${jobId}`);
      const file = createWriteStream(path);
      try {
        await pipeline(Readable.fromWeb(response.body ?? new ReadableStream()), file);
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
      return file.bytesWritten;
    },
  };
}
