import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from './raw.ts';
import { RUNBOOK, startApi, type TestApi } from './start-api.ts';

const KEYS = ['first-key-0123456789', 'second-key-0123456789'];

describe('with API_KEYS', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi({ env: { API_KEYS: KEYS.join(',') } });
  });
  afterAll(() => api.close());

  it.each([
    { authorization: `Bearer ${KEYS[0]}` },
    { authorization: `bearer  ${KEYS[1]}` },
    { 'x-api-key': `${KEYS[1]}` },
  ])('takes %j', async (headers) => {
    expect((await fetch(`${api.url}/jobs`, { headers })).status).toBe(200);
  });

  it.each([
    {},
    { authorization: 'Bearer' },
    { authorization: `Bearer ${KEYS[0]}x` },
    { authorization: `Basic ${KEYS[0]}` },
    { authorization: KEYS[0] ?? '' },
    { 'x-api-key': '' },
    { 'x-api-key': KEYS.join(',') },
  ])('refuses %j', async (headers) => {
    const response = await fetch(`${api.url}/jobs`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(await response.json()).toMatchObject({
      code: 'UNAUTHORIZED',
      hint: expect.stringContaining('Bearer'),
    });
  });

  it.each(['/jobs', '/metrics', '/status/1', '/nothing'])('guards %s', async (path) => {
    expect((await fetch(api.url + path)).status).toBe(401);
  });

  it.each(['/healthz', '/readyz', '/docs/', '/docs/errors', '/docs/js/scalar.js', '/openapi.json', '/'])(
    'leaves %s open',
    async (path) => {
      expect([200, 503]).toContain((await fetch(api.url + path)).status);
    },
  );

  it('shows jobs on the page of links to those with a key alone', async () => {
    const scheduled = await fetch(`${api.url}/schedule`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEYS[0] ?? '' },
      body: JSON.stringify({ prompt: `Find me\n${RUNBOOK}` }),
    });
    expect(scheduled.status).toBe(202);
    const page = async (headers: object) =>
      (await fetch(api.url, { headers: { accept: 'text/html', ...headers } })).text();
    expect(await page({})).not.toContain('Find me');
    expect(await page({ 'x-api-key': KEYS[0] })).toContain('Find me');
  });

  it('trusts any Host, and writes no key to the log', async () => {
    const response = await fetch(`${api.url}/jobs`, {
      headers: { 'x-api-key': KEYS[0] ?? '', origin: 'https://evil.example' },
    });
    expect(response.status).toBe(200);
    for (const key of KEYS) expect(api.logged()).not.toContain(key);
  });
});

describe('without keys, on loopback', () => {
  let api: TestApi;
  let port: number;
  beforeAll(async () => {
    api = await startApi({ env: { PUBLIC_URL: 'https://agents.example.com/api' } });
    port = Number(new URL(api.url).port);
  });
  afterAll(() => api.close());

  const get = (host: string) => sendRaw(port, `GET /jobs HTTP/1.1\r\nHost: ${host}\r\n\r\n`);

  it.each([
    'localhost',
    'localhost:8000',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]:8000',
    'app.localhost',
    'agents.example.com',
  ])('takes Host %s', async (host) => {
    expect((await get(host)).status).toBe(200);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '192.168.1.5:8000'])(
    "refuses Host %s: another site's name was pointed here",
    async (host) => {
      const answer = await get(host);
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({
        code: 'FORBIDDEN',
        hint: expect.stringContaining('PUBLIC_URL'),
      });
    },
  );

  const send = (headers: Record<string, string>, method = 'POST') =>
    sendRaw(
      port,
      `${method} /cancel/x HTTP/1.1\r\nHost: localhost:${port}\r\n${Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    );

  it.each<Record<string, string>>([
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://localhost:1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ])("refuses what another site's page sends: %j", async (headers) => {
    const answer = await send(headers);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each<Record<string, string>>([
    {},
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'none' },
    { Origin: 'https://agents.example.com' },
  ])('lets %j pass', async (headers) => {
    expect((await send(headers)).status).toBe(400);
  });

  it('takes its own Origin', async () => {
    expect((await send({ Origin: `http://localhost:${port}` })).status).toBe(400);
  });

  it('gives no other origin a word of an answer', async () => {
    const response = await fetch(`${api.url}/jobs`, { headers: { origin: 'https://evil.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  it('links to PUBLIC_URL', async () => {
    const id = await api.schedule();
    const body = await (await fetch(`${api.url}/status/${id}`)).json();
    expect(body).toMatchObject({ logs_link: `https://agents.example.com/api/logs/${id}` });
    const problem = await (await fetch(`${api.url}/status/1`)).json();
    expect(problem).toMatchObject({ type: 'https://agents.example.com/api/docs/errors#INVALID_ID' });
  });
});

describe('RATE_LIMIT_PER_MINUTE', () => {
  it('answers 429 with Retry-After, counts by key, and leaves probes alone', async () => {
    const api = await startApi({ env: { RATE_LIMIT_PER_MINUTE: '3', API_KEYS: KEYS.join(',') } });
    try {
      const get = (path: string, key: string) => fetch(api.url + path, { headers: { 'x-api-key': key } });
      for (let i = 0; i < 3; i++) expect((await get('/jobs', KEYS[0] ?? '')).status).toBe(200);
      const refused = await get('/jobs', KEYS[0] ?? '');
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED' });
      expect((await get('/jobs', KEYS[1] ?? '')).status).toBe(200);
      expect((await get('/healthz', KEYS[0] ?? '')).status).toBe(200);
      // Guesses at keys are counted too, together.
      for (let i = 0; i < 3; i++) expect((await get('/jobs', `guess ${i}`)).status).toBe(401);
      expect((await get('/jobs', 'another guess')).status).toBe(429);
    } finally {
      await api.close();
    }
  });
});
