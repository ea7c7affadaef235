import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Listing } from '../../src/api/files/listing.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import { sendRaw } from './raw.ts';
import { startLiveApi, type TestApi } from './start-api.ts';

let api: TestApi;
let sandbox: Sandbox;
let id: string;
beforeAll(async () => {
  ({ sandbox } = await startTestSandbox({ lasts: 'file' }));
  ({ api, id } = await startLiveApi(sandbox, { MAX_UPLOAD_MB: '40' }));
  await run(
    sandbox,
    'mkdir -p src empty; printf hello > src/a.txt; ln -s src link; ln -s /etc/hostname out; mkfifo pipe',
  );
});
afterAll(() => api.close());

const call = (method: string, path: string, body?: Blob | string, headers: Record<string, string> = {}) =>
  fetch(`${api.url}/files/${id}/${path}`, { method, headers, ...(body !== undefined && { body }) });
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('GET /files of a live workspace', () => {
  it('lists folders, also behind a symlink', async () => {
    const root = Listing.parse(await (await call('GET', '')).json());
    expect(root.entries.map(({ path, type }) => [path, type])).toEqual(
      expect.arrayContaining([
        ['empty', 'directory'],
        ['link', 'symlink'],
        ['pipe', 'fifo'],
        ['src', 'directory'],
      ]),
    );
    expect(root.entries.find(({ path }) => path === 'link')).toMatchObject({ target: 'src' });
    const linked = Listing.parse(await (await call('GET', 'link/')).json());
    expect(linked.entries).toEqual([expect.objectContaining({ path: 'link/a.txt', type: 'file', size: 5 })]);
  });

  it('sends a file, whole or a part of it', async () => {
    const whole = await call('GET', 'src/a.txt');
    expect(await whole.text()).toBe('hello');
    expect(whole.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(whole.headers.get('content-security-policy')).toContain('sandbox');
    const part = await call('GET', 'src/a.txt', undefined, { range: 'bytes=1-3' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 1-3/5',
      'ell',
    ]);
    expect((await call('HEAD', 'src/a.txt')).status).toBe(200);
    expect((await call('GET', 'src/a.txt', undefined, { range: 'bytes=5-' })).status).toBe(416);
  });

  it.each([
    ['nothing', 404, 'PATH_NOT_FOUND'],
    ['src/a.txt/b', 409, 'NOT_A_DIRECTORY'],
    ['pipe', 409, 'NOT_A_FILE'],
    ['x'.repeat(256), 400, 'INVALID_PATH'],
  ])('%s is %d %s', async (path, status, code) => {
    const response = await call('GET', path);
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
  });
});

describe('PUT and DELETE', () => {
  it('writes what is new and what is there, with missing folders', async () => {
    const made = await call('PUT', 'new/deep/b.sh?executable=1', '#!/bin/sh\necho ran');
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ path: 'new/deep/b.sh', type: 'file', size: 18, mode: 0o755 });
    expect((await run(sandbox, './new/deep/b.sh')).stdout).toBe('ran\n');
    expect((await call('PUT', 'new/deep/b.sh', 'other', { 'content-type': 'application/json' })).status).toBe(
      200,
    );
    expect(await (await call('GET', 'new/deep/b.sh')).text()).toBe('other');
    expect((await call('PUT', 'none.txt')).status).toBe(201);
    expect(await (await call('GET', 'none.txt')).text()).toBe('');
  });

  it('streams large files both ways', async () => {
    const bytes = randomBytes(30 * 2 ** 20);
    expect((await call('PUT', 'large.bin', new Blob([bytes]))).status).toBe(201);
    const back = await (await call('GET', 'large.bin')).arrayBuffer();
    const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    expect(hash(Buffer.from(back))).toBe(hash(bytes));
  });

  it('leaves nothing of a body that is too large or cut', async () => {
    const tooLarge = await call('PUT', 'huge.bin', new Blob([Buffer.alloc(41 * 2 ** 20)]));
    expect([tooLarge.status, await codeOf(tooLarge)]).toEqual([413, 'BODY_TOO_LARGE']);
    const port = Number(new URL(api.url).port);
    const cut = `PUT /files/${id}/cut.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nhalf`;
    await expect(sendRaw(port, cut, 300)).rejects.toThrow('expected an answer');
    expect((await call('GET', 'huge.bin')).status).toBe(404);
    expect((await call('GET', 'cut.bin')).status).toBe(404);
  });

  it('removes files, and folders only when told to', async () => {
    await call('PUT', 'gone/a', 'x');
    const refused = await call('DELETE', 'gone');
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'IS_A_DIRECTORY']);
    expect((await call('DELETE', 'gone?recursive=1')).status).toBe(204);
    expect((await call('DELETE', 'gone')).status).toBe(404);
  });

  it.each([
    ['src', 409, 'IS_A_DIRECTORY'],
    ['src/a.txt/b', 409, 'NOT_A_DIRECTORY'],
  ])('does not write to %s: %d %s', async (path, status, code) => {
    const response = await call('PUT', path, 'x');
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
  });
});
