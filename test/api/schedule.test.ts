import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/protocol/ids.ts';
import { ScheduleResponse } from '../../src/protocol/job.ts';
import { getJob } from '../../src/store/get-job.ts';
import { readSecrets } from '../../src/store/read-secrets.ts';
import { RUNBOOK, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ env: { MAX_UPLOAD_MB: '4', MAX_BODY_MB: '1' } });
});
afterAll(() => api.close());

const post = (body: object, headers: Record<string, string> = {}) =>
  fetch(`${api.url}/schedule`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt: RUNBOOK, ...body }),
  });
const idOf = async (response: Response) => ((await response.json()) as { job_id: string }).job_id;

async function inputsOf(id: string): Promise<Record<string, string>> {
  const entries = (await api.store.artifacts.inputs(id)).map(async (file) => {
    const chunks: Buffer[] = [];
    for await (const chunk of file.open()) chunks.push(chunk);
    return [file.path, Buffer.concat(chunks).toString()];
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('POST /schedule', () => {
  it('answers 202 with the links of a job that is stored', async () => {
    const response = await post({});
    expect(response.status).toBe(202);
    const body = ScheduleResponse.parse(await response.json());
    expect(body).toEqual({
      job_id: body.job_id,
      status: 'scheduled',
      status_link: `${api.url}/status/${body.job_id}`,
      logs_link: `${api.url}/logs/${body.job_id}`,
      events_link: `${api.url}/events/${body.job_id}`,
      desktop_link: `${api.url}/desktop/${body.job_id}`,
    });
    expect(response.headers.get('location')).toBe(body.status_link);
    expect(await getJob(api.store, body.job_id)).toMatchObject({
      status: 'scheduled',
      request: { agent: 'runbook' },
    });
    expect((await fetch(body.status_link)).status).toBe(200);
  });

  it('keeps every member of the request, and of secrets the names', async () => {
    const id = await api.schedule({
      files: [
        { path: 'a.txt', content: 'one' },
        { path: 'b/run.sh', content_base64: Buffer.from('two').toString('base64'), executable: true },
      ],
      git: { url: 'https://example.com/a.git', ref: 'main' },
      env: { A: '1' },
      secrets: { TOKEN: 'hunter2hunter2' },
      network: { mode: 'allowlist', allow: ['*.example.org'] },
      limits: { cpus: 1 },
      output: { include: ['dist/**'] },
      labels: { team: 'web' },
      priority: 5,
      callback_url: 'https://example.com/done',
    });
    const response = await fetch(`${api.url}/job/${id}`);
    const text = await response.text();
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text)).toMatchObject({
      job_id: id,
      attempts: 0,
      request: {
        prompt: RUNBOOK,
        agent: 'runbook',
        model: null,
        files: [
          { path: 'a.txt', bytes: 3, executable: false },
          { path: 'b/run.sh', bytes: 3, executable: true },
        ],
        git: { url: 'https://example.com/a.git', ref: 'main' },
        env: { A: '1' },
        secret_names: ['TOKEN'],
        network: { mode: 'allowlist', allow: ['*.example.org'] },
        limits: { cpus: 1, pids: 512 },
        privileges: 'user',
        output: { include: ['dist/**'] },
        labels: { team: 'web' },
        priority: 5,
        callback_url: 'https://example.com/done',
      },
    });
    expect(await readSecrets(api.store, id)).toEqual({ TOKEN: 'hunter2hunter2' });
    expect(await inputsOf(id)).toEqual({ 'a.txt': 'one', 'b/run.sh': 'two' });
    expect(api.logged()).not.toContain('hunter2');
  });
});

describe('Idempotency-Key', () => {
  it('gives the first job again for the same body, however it is written', async () => {
    const key = newId();
    const first = await idOf(await post({ labels: { a: '1', b: '2' } }, { 'idempotency-key': key }));
    const again = await post({ labels: { b: '2', a: '1' } }, { 'idempotency-key': key });
    expect(again.status).toBe(202);
    expect(await idOf(again)).toBe(first);
  });

  it('is 409 for another body, also when only a secret differs', async () => {
    const key = newId();
    await post({ secrets: { A: 'secret one' } }, { 'idempotency-key': key });
    const other = await post({ secrets: { A: 'secret two' } }, { 'idempotency-key': key });
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('makes one job of many at once', async () => {
    const key = newId();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post({}, { 'idempotency-key': key })));
    expect(new Set(await Promise.all(answers.map(idOf))).size).toBe(1);
  });

  it('counts the bytes of uploads', async () => {
    const key = newId();
    const send = (content: string) => upload([['files', 'a.bin', content]], { 'idempotency-key': key });
    const first = await idOf(await send('one'));
    expect(await idOf(await send('one'))).toBe(first);
    expect((await send('two')).status).toBe(409);
    expect(await inputsOf(first)).toEqual({ 'a.bin': 'one' });
  });
});

type Part = [name: string, filename: string | null, content: string | Uint8Array<ArrayBuffer>];

function upload(
  parts: Part[],
  headers: Record<string, string> = {},
  request: string | null = JSON.stringify({ prompt: RUNBOOK }),
) {
  const form = new FormData();
  if (request !== null) form.append('request', request);
  for (const [name, filename, content] of parts) {
    if (filename === null) form.append(name, String(content));
    else form.append(name, new Blob([content]), filename);
  }
  return fetch(`${api.url}/schedule`, { method: 'POST', headers, body: form });
}

describe('multipart/form-data', () => {
  it('takes files by filename and by field name, beside those of the JSON', async () => {
    const big = new Uint8Array(3 * 2 ** 20).fill(97);
    const request = JSON.stringify({ prompt: RUNBOOK, files: [{ path: 'inline', content: 'x' }] });
    const response = await upload(
      [
        ['files', 'src/é 1.txt', 'one'],
        ['files[deep/er/b.bin]', 'ignored', big],
        ['files[plain]', null, 'two'],
      ],
      {},
      request,
    );
    expect(response.status).toBe(202);
    const inputs = await inputsOf(await idOf(response));
    expect(inputs).toEqual({
      inline: 'x',
      'src/é 1.txt': 'one',
      'deep/er/b.bin': Buffer.from(big).toString(),
      plain: 'two',
    });
  });

  it.each<[string, Part[], string | null, number, string, RegExp]>([
    ['no request part', [['files', 'a', 'x']], null, 422, 'INVALID_REQUEST', /"request"/],
    ['an empty form', [], null, 422, 'INVALID_REQUEST', /"request"/],
    ['a request that is no JSON', [], '{', 400, 'MALFORMED_JSON', /JSON/],
    ['a member twice', [], '{"prompt": "a", "prompt": "b"}', 400, 'MALFORMED_JSON', /twice/],
    ['an unknown member', [], '{"prompt": "a", "x": 1}', 422, 'INVALID_REQUEST', /x/],
    ['an unknown part', [['file', 'a', 'x']], '{"prompt": "a"}', 422, 'INVALID_REQUEST', /unknown/],
    ['a request twice', [['request', null, '{}']], '{"prompt": "a"}', 422, 'INVALID_REQUEST', /twice/],
    ['a file without a name', [['files', null, 'x']], '{"prompt": "a"}', 422, 'INVALID_REQUEST', /filename/],
    ['a path upwards', [['files', '../a', 'x']], '{"prompt": "a"}', 422, 'INVALID_REQUEST', /\.\./],
    [
      'an absolute path',
      [['files[/etc/passwd]', 'x', 'x']],
      '{"prompt": "a"}',
      422,
      'INVALID_REQUEST',
      /relative/,
    ],
    [
      'a file twice',
      [
        ['files', 'a', 'x'],
        ['files[a]', 'b', 'y'],
      ],
      '{"prompt": "a"}',
      422,
      'INVALID_REQUEST',
      /twice/,
    ],
    [
      'too much',
      [['files', 'a', new Uint8Array(5 * 2 ** 20)]],
      '{"prompt": "a"}',
      413,
      'BODY_TOO_LARGE',
      /MAX_UPLOAD_MB/,
    ],
    ['too much JSON', [], `{"prompt": "${'x'.repeat(2 ** 20)}"}`, 413, 'BODY_TOO_LARGE', /MAX_BODY_MB/],
  ])('refuses %s', async (_name, parts, request, status, code, words) => {
    const response = await upload(parts, {}, request);
    const text = await response.text();
    expect({ status: response.status, ...JSON.parse(text) }).toMatchObject({ status, code });
    expect(text).toMatch(words);
  });

  it.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['nothing in it', 'multipart/form-data; boundary=b', ''],
    [
      'no end',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{"prom',
    ],
    ['no parts', 'multipart/form-data; boundary=b', 'nonsense'],
  ])('refuses a body with %s', async (_name, type, body) => {
    const response = await fetch(`${api.url}/schedule`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect([400, 415, 422]).toContain(response.status);
    expect(await response.json()).toMatchObject({ code: expect.any(String), hint: expect.any(String) });
  });

  it('leaves nothing behind of what it refused', async () => {
    const before = await ids();
    await upload([['files', 'a', 'x']], {}, '{"prompt": ""}');
    await upload([
      ['files', 'a', 'x'],
      ['files', 'a', 'y'],
    ]);
    expect(await ids()).toEqual(before);
  });
});

async function ids(): Promise<string[]> {
  const found: string[] = [];
  for await (const id of api.store.artifacts.jobIds()) found.push(id);
  return found.sort();
}
