import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ERRORS } from '../../src/protocol/errors.ts';
import { newId } from '../../src/protocol/ids.ts';
import { engineState } from '../../src/sandbox/engine-state.ts';
import { registerWorker } from '../../src/store/workers.ts';
import { sendRaw } from './raw.ts';
import { startApi, type TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ stats: () => ({ sandboxes_live: 3 }) });
});
afterAll(() => api.close());

const page = (path: string) => fetch(api.url + path, { headers: { accept: 'text/html,*/*;q=0.5' } });

describe('GET /', () => {
  it('is name, version and links for a program', async () => {
    expect(await (await fetch(api.url)).json()).toEqual({
      name: 'containerized-agent',
      version: '0.0.0-test',
      links: expect.objectContaining({ docs: `${api.url}/docs`, openapi: `${api.url}/openapi.json` }),
    });
  });

  it('is a page for a browser, with what jobs hold escaped', async () => {
    const prompt = '<img src=x onerror=alert(1)> "quoted" & more\n```bash\ntrue\n```';
    const id = await api.schedule({ prompt });
    const response = await page('/');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    const text = await response.text();
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt; &quot;quoted&quot; &amp; more');
    expect(text).not.toContain('<img');
    expect(text).toContain(`${api.url}/job/${id}`);
    // No link to a zip that there is not yet.
    expect(text).not.toContain(`/download/${id}`);
    expect(text).not.toMatch(/<script|src="|https:\/\//);
  });

  it('refuses other forms', async () => {
    expect((await fetch(api.url, { headers: { accept: 'image/png' } })).status).toBe(406);
  });
});

describe('the documentation', () => {
  it('loads nothing from another host', async () => {
    const response = await page('/docs');
    expect(response.url).toBe(`${api.url}/docs/`);
    const text = await response.text();
    expect(text).not.toMatch(/https?:\/\//);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self' 'sha256-[^']+';/);
    expect(policy).not.toMatch(/https?:|\*/);
    const script = await fetch(`${api.url}/docs/js/scalar.js`);
    expect(script.headers.get('content-encoding')).toBe('gzip');
    expect((await script.text()).length).toBeGreaterThan(1e6);
  });

  it('lists every error where problems point to', async () => {
    const problem = (await (await fetch(`${api.url}/status/x`)).json()) as { type: string };
    const url = new URL(problem.type, api.url);
    const text = await (await fetch(url)).text();
    expect(text).toContain(`id="${url.hash.slice(1)}"`);
    for (const code of Object.keys(ERRORS)) expect(text).toContain(`id="${code}"`);
  });
});

describe('health', () => {
  it('is alive', async () => {
    expect(await (await fetch(`${api.url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  it('is ready when every part is', async () => {
    await registerWorker(api.store, newId(), {});
    const response = await fetch(`${api.url}/readyz`);
    expect(await response.json()).toEqual({
      ready: true,
      store: { ready: true, detail: expect.stringContaining('PostgreSQL') },
      engine: { ready: true, detail: 'an engine' },
      image: { ready: true, detail: 'an image' },
      workers: { ready: true, detail: '1 worker' },
    });
    expect(response.status).toBe(200);
  });

  it.each([
    ['hangs', () => new Promise<never>(() => {}), /did not answer within/, /not known/],
    ['throws', async () => Promise.reject(new Error('broken pipe')), /broken pipe/, /not known/],
    [
      'has no image',
      async () =>
        engineState({ ready: true, detail: 'an engine' }, { ready: false, detail: 'no such image' }),
      /^an engine$/,
      /^no such image$/,
    ],
  ])(
    'names what is not ready, and answers though the engine %s',
    async (_how, engine, engineWords, words) => {
      const broken = await startApi({ engine });
      try {
        const response = await fetch(`${broken.url}/readyz`);
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({
          ready: false,
          store: { ready: true },
          engine: { detail: expect.stringMatching(engineWords) },
          image: { ready: false, detail: expect.stringMatching(words) },
          workers: { ready: false, detail: expect.stringContaining('no worker') },
        });
      } finally {
        await broken.close();
      }
    },
  );

  it('has numbers for Prometheus', async () => {
    await fetch(`${api.url}/status/${newId()}`);
    const text = await (await fetch(`${api.url}/metrics`)).text();
    expect(text).toMatch(/^containerized_agent_jobs\{status="scheduled"\} \d+$/m);
    expect(text).toMatch(/^containerized_agent_sandboxes_live 3$/m);
    expect(text).toMatch(
      /_http_request_duration_seconds_count\{method="GET",route="\/status\/:id",status="404"\} \d+/,
    );
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });
});

describe('requests', () => {
  it('are logged with their id and job, without query, headers or body', async () => {
    const id = await api.schedule({ secrets: { TOKEN: 'hunter2hunter2' }, env: { A: 'plain-value' } });
    const response = await fetch(`${api.url}/status/${id}`, {
      headers: { 'x-request-id': 'from-outside.1' },
    });
    expect(response.headers.get('x-request-id')).toBe('from-outside.1');
    await fetch(`${api.url}/jobs?label=query-value`, { headers: { authorization: 'Bearer header-value' } });
    await vi.waitFor(() => expect(api.logged()).toContain('"path":"/jobs"'));
    const line = api
      .logged()
      .split('\n')
      .find((each) => each.includes('from-outside.1'));
    expect(JSON.parse(line ?? '')).toMatchObject({
      method: 'GET',
      path: `/status/${id}`,
      status: 200,
      job_id: id,
    });
    expect(api.logged()).not.toMatch(/hunter2|plain-value|query-value|header-value/);
  });

  it('get an id of their own for one that is none', async () => {
    const response = await fetch(api.url, { headers: { 'x-request-id': 'a b<c>' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}-\d+$/);
  });

  it('may be OPTIONS, HEAD, in absolute form, or of HTTP/1.0', async () => {
    const port = Number(new URL(api.url).port);
    const options = await fetch(`${api.url}/status/${newId()}`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect((await fetch(`${api.url}/healthz`, { method: 'HEAD' })).status).toBe(200);
    const ask = (line: string, host = 'Host: localhost\r\n') =>
      sendRaw(port, `${line}\r\n${host}Connection: close\r\n\r\n`);
    expect((await ask('GET http://localhost/healthz HTTP/1.1')).status).toBe(200);
    expect((await ask('OPTIONS * HTTP/1.1')).status).toBe(204);
    expect((await ask('GET /healthz HTTP/1.0', '')).status).toBe(200);
  });

  it('of a method that is not taken are told which are', async () => {
    const response = await fetch(`${api.url}/schedule`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'OPTIONS, POST']);
  });
});

describe('a broken store', () => {
  it('is 503 with Retry-After, and no word of why in the answer', async () => {
    const broken = await startApi();
    await broken.store.close();
    const response = await fetch(`${broken.url}/status/${newId()}`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await broken.app.close();
  });
});

describe('closing', () => {
  it('ends open streams at once, also those that nobody reads', async () => {
    const closing = await startApi();
    const id = await closing.schedule();
    const followed = await fetch(`${closing.url}/logs/${id}/stdout?follow=1`);
    const events = await fetch(`${closing.url}/events/${id}`);
    const socket = connect(Number(new URL(closing.url).port), '127.0.0.1');
    socket.pause();
    socket.write(`GET /events/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await vi.waitFor(async () => {
      const text = await (await fetch(`${closing.url}/metrics`)).text();
      expect(text).toMatch(/open_streams 3$/m);
    });
    const started = performance.now();
    const ended = Promise.all([followed.text(), events.text()]);
    await closing.close();
    await ended;
    expect(performance.now() - started).toBeLessThan(4_000);
    socket.destroy();
  });
});
