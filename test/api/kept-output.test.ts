import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { Listing } from '../../src/api/files/listing.ts';
import { clearSandbox } from '../../src/store/clear-sandbox.ts';
import { endJob } from '../../src/store/end-job.ts';
import { setOutput } from '../../src/store/set-output.ts';
import { setSandbox } from '../../src/store/set-sandbox.ts';
import { startApi, type TestApi } from './start-api.ts';

let api: TestApi;
let id: string;
let zip: Buffer;
beforeAll(async () => {
  api = await startApi();
  zip = await makeZip();
  id = await jobWith(zip);
});
afterAll(() => api.close());

async function makeZip(): Promise<Buffer> {
  const file = new ZipFile();
  file.addBuffer(Buffer.from('hello\n'), 'hello.txt');
  file.addBuffer(Buffer.from('<script>alert(1)</script>'), 'site/index.html');
  file.addBuffer(Buffer.from('deep'), 'site/a b/é.txt');
  file.addEmptyDirectory('empty');
  file.addBuffer(Buffer.from('../../etc/passwd'), 'link', { mode: 0o120777 });
  file.addBuffer(Buffer.alloc(300_000, 'z'), 'zeros.bin', { mode: 0o100755 });
  file.end();
  const chunks: Buffer[] = [];
  for await (const chunk of file.outputStream) chunks.push(Buffer.from(chunk));
  // A name that leads out, as a zip of another program might have.
  return Buffer.from(Buffer.concat(chunks).toString('latin1').replaceAll('hello.txt', '../lo.txt'), 'latin1');
}

async function jobWith(bytes: Buffer): Promise<string> {
  const job = await api.schedule();
  const { lease } = await api.start(job);
  const output = await api.store.artifacts.createOutput(job);
  output.stream.write(bytes);
  await output.commit();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await setOutput(api.store, job, { bytes: bytes.length, files: 5, left_out: 0, sha256, expires: null });
  await endJob(api.store, lease, { status: 'complete', error: null, summary: null });
  return job;
}

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(api.url + path, { method, headers });

describe('GET /download/:id', () => {
  it('sends the zip with its name, length and tag', async () => {
    const response = await get(`/download/${id}`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${id}.zip"`,
      'content-length': String(zip.length),
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(zip)).toBe(true);
    expect(await (await get(`/status/${id}`)).json()).toMatchObject({
      download_link: `${api.url}/download/${id}`,
      output: api.store.artifacts.outputPath(id),
    });
  });

  it('goes on with a download that was cut, if it is the same', async () => {
    const etag = (await get(`/download/${id}`, {}, 'HEAD')).headers.get('etag') ?? '';
    const rest = await get(`/download/${id}`, { range: 'bytes=100-', 'if-range': etag });
    expect(rest.status).toBe(206);
    expect(rest.headers.get('content-range')).toBe(`bytes 100-${zip.length - 1}/${zip.length}`);
    expect(Buffer.from(await rest.arrayBuffer()).equals(zip.subarray(100))).toBe(true);
    const other = await get(`/download/${id}`, { range: 'bytes=100-', 'if-range': '"other"' });
    expect(other.status).toBe(200);
    expect((await other.arrayBuffer()).byteLength).toBe(zip.length);
  });

  it('answers HEAD, a tag that is known, and ranges that are not there', async () => {
    const head = await get(`/download/${id}`, {}, 'HEAD');
    expect(head.headers.get('content-length')).toBe(String(zip.length));
    const etag = head.headers.get('etag') ?? '';
    const known = await get(`/download/${id}`, { 'if-none-match': `"x", W/${etag}` });
    expect(known.status).toBe(304);
    expect((await get(`/download/${id}`, { range: `bytes=${zip.length}-` })).status).toBe(416);
  });

  it('is 404 for a job that left none', async () => {
    const job = await api.schedule();
    await fetch(`${api.url}/cancel/${job}`, { method: 'POST' });
    const response = await get(`/download/${job}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NO_OUTPUT' });
  });

  it('is 409 while an ended job still has the sandbox that it is packed from', async () => {
    const job = await api.schedule();
    const { lease } = await api.start(job);
    await setSandbox(api.store, lease, { driver: 'docker', id: 'a', ref: 'b' });
    await fetch(`${api.url}/cancel/${job}`, { method: 'POST' });
    const response = await get(`/download/${job}`);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'OUTPUT_NOT_READY' });
    await clearSandbox(api.store, lease);
    expect((await get(`/download/${job}`)).status).toBe(404);
  });

  it('is 410 once it has expired', async () => {
    const job = await jobWith(Buffer.from('zip'));
    await api.store.db
      .updateTable('jobs')
      .set({ output: null, output_expired: true })
      .where('id', '=', job)
      .execute();
    const response = await get(`/download/${job}`);
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ code: 'OUTPUT_EXPIRED' });
    expect((await get(`/files/${job}/a`)).status).toBe(410);
  });
});

describe('GET /files of the kept output', () => {
  const list = async (path: string) => Listing.parse(await (await get(`/files/${id}${path}`)).json());

  it('lists folders, tells symlinks, and passes over names that lead out', async () => {
    const root = await list('');
    expect(root.entries.map(({ path, type }) => [path, type])).toEqual([
      ['empty', 'directory'],
      ['link', 'symlink'],
      ['site', 'directory'],
      ['zeros.bin', 'file'],
    ]);
    expect(root.entries[1]).toMatchObject({ target: '../../etc/passwd' });
    expect(root.entries[3]).toMatchObject({ size: 300_000, mode: 0o755 });
    expect((await list('/site')).entries.map(({ path }) => path)).toEqual(['site/a b', 'site/index.html']);
    expect(await list('/empty/')).toEqual({ path: 'empty', entries: [], truncated: false });
  });

  it('sends a file so that no browser runs it', async () => {
    const response = await get(`/files/${id}/site/index.html`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': `attachment; filename="index.html"; filename*=UTF-8''index.html`,
      'content-security-policy': expect.stringContaining('sandbox'),
      'x-content-type-options': 'nosniff',
    });
    expect(await response.text()).toBe('<script>alert(1)</script>');
    expect(await (await get(`/files/${id}/site/a%20b/%C3%A9.txt`)).text()).toBe('deep');
    expect((await (await get(`/files/${id}/zeros.bin`)).arrayBuffer()).byteLength).toBe(300_000);
    const head = await get(`/files/${id}/zeros.bin`, {}, 'HEAD');
    expect(head.headers.get('content-length')).toBe('300000');
  });

  it('sends a part of a file', async () => {
    const part = await get(`/files/${id}/site/a%20b/%C3%A9.txt`, { range: 'bytes=1-2' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 1-2/4',
      'ee',
    ]);
    const tail = await get(`/files/${id}/zeros.bin`, { range: 'bytes=-70000' });
    expect((await tail.arrayBuffer()).byteLength).toBe(70_000);
    const beyond = await get(`/files/${id}/zeros.bin`, { range: 'bytes=300000-' });
    expect(beyond.status).toBe(416);
  });

  it.each([
    ['/nothing', 404, 'FILE_NOT_FOUND'],
    ['/site/nothing', 404, 'FILE_NOT_FOUND'],
    ['/link', 409, 'NOT_A_FILE'],
    ['/lo.txt', 404, 'FILE_NOT_FOUND'],
  ])('%s is %d %s', async (path, status, code) => {
    const response = await get(`/files/${id}${path}`);
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({
      status,
      code,
    });
  });

  it.each(['PUT', 'DELETE'])('does not take %s', async (method) => {
    const response = await get(`/files/${id}/hello.txt`, {}, method);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'JOB_ENDED' });
  });
});
