import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEvents } from '../../src/store/append-events.ts';
import { makePng } from '../agent/png.ts';
import { startApi, type TestApi } from './start-api.ts';

const PNG = makePng(4, 3);
const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0000b080010002001011100', 'hex');
const idOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 32);

let api: TestApi;
let id: string;
beforeAll(async () => {
  api = await startApi();
  id = await api.schedule();
  const { lease } = await api.start(id);
  for (const bytes of [PNG, JPEG]) await api.store.artifacts.saveImage(id, idOf(bytes), bytes);
  const image = { id: idOf(PNG), media_type: 'image/png' as const, bytes: PNG.length, width: 4, height: 3 };
  const data = {
    ...{ step: 1, call_id: 'a', tool: 'screenshot', content: 'the screen', is_error: false },
    ...{ exit_code: null, duration_ms: 1, full_output: null, images: [image] },
  };
  await appendEvents(api.store, lease, [{ type: 'tool.result', data }]);
});
afterAll(() => api.close());

const get = (path: string, init: RequestInit = {}) => fetch(`${api.url}/images/${path}`, init);
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

interface Page {
  events: { type: string; data: { images?: { link: string }[] } }[];
}

describe('an image of a job', () => {
  it.each([
    ['PNG', PNG, 'image/png'],
    ['JPEG', JPEG, 'image/jpeg'],
  ])('%s: its bytes, as what they are, and never again', async (_kind, bytes, type) => {
    const response = await get(`${id}/${idOf(bytes)}`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'content-length': String(bytes.length),
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    const etag = response.headers.get('etag') ?? '';
    const again = await get(`${id}/${idOf(bytes)}`, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const head = await get(`${id}/${idOf(bytes)}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  });

  it('is linked where an event names it, in a page and in a stream', async () => {
    const page = (await (await fetch(`${api.url}/events/${id}?limit=100`)).json()) as Page;
    const link = page.events.find(({ type }) => type === 'tool.result')?.data.images?.[0]?.link ?? '';
    expect(link).toBe(`${api.url}/images/${id}/${idOf(PNG)}`);
    expect((await fetch(link)).status).toBe(200);
    const leaving = new AbortController();
    const stream = await fetch(`${api.url}/events/${id}`, { signal: leaving.signal });
    let text = '';
    for await (const bytes of stream.body ?? []) {
      text += new TextDecoder().decode(bytes);
      if (text.includes('"images"')) break;
    }
    leaving.abort();
    expect(text).toContain(`"link":"${link}"`);
  });

  it.each([
    ['that there is none of', () => `${id}/${'0'.repeat(32)}`, 404, 'IMAGE_NOT_FOUND'],
    ['of another job', () => `${'0'.repeat(22)}/${idOf(PNG)}`, 404, 'JOB_NOT_FOUND'],
    ['with a path for an id', () => `${id}/..%2f..%2flist.json`, 422, 'INVALID_REQUEST'],
  ])('%s: none', async (_which, path, status, code) => {
    const response = await get(path());
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
  });

  it('asks for a key where the API does', async () => {
    const locked = await startApi({ env: { API_KEYS: 'a-key-of-enough-characters' } });
    try {
      const response = await fetch(`${locked.url}/images/${id}/${idOf(PNG)}`);
      expect([response.status, await codeOf(response)]).toEqual([401, 'UNAUTHORIZED']);
    } finally {
      await locked.close();
    }
  });

  it('is gone after the retention time', async () => {
    await api.store.db
      .updateTable('jobs')
      .set({ status: 'failed', completed: new Date('2020-01-01') })
      .where('id', '=', id)
      .execute();
    await api.store.artifacts.remove(id);
    const response = await get(`${id}/${idOf(PNG)}`);
    expect([response.status, await codeOf(response)]).toEqual([410, 'IMAGE_EXPIRED']);
  });
});
