import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import type { TakenPicture as TakenPictureSchema } from '../../src/api/desktop/calls.ts';
import type { Frame } from '../../src/protocol/desktop.ts';
import type { KernelList } from '../../src/protocol/kernel.ts';
import type { KernelLine, KernelResult, ProcessOutput } from '../../src/protocol/sandbox-api.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { takeControl } from '../../src/store/desktop-control.ts';
import { startApi, type TestApi } from '../api/start-api.ts';
import { startTestSandbox } from '../support/sandbox.ts';

let api: TestApi;
let sandbox: Sandbox;
let id: string;
beforeAll(async () => {
  ({ sandbox } = await startTestSandbox({ lasts: 'file', limits: { memory_mb: 1_024 } }));
  api = await startApi({ live: async (job) => (job.id === id ? sandbox : null) });
  id = await api.schedule({ env: { GREETING: 'hi' } });
  await api.start(id);
});
afterAll(() => api.close());

type Json = Record<string, unknown>;
type Output = z.infer<typeof ProcessOutput>;
type TakenPicture = z.infer<typeof TakenPictureSchema>;

function send(method: string, path: string, body?: object, accept = 'application/json'): Promise<Response> {
  return fetch(`${api.url}${path}`, {
    method,
    headers: { accept, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function call<Body = Json>(
  method: string,
  path: string,
  body?: object,
): Promise<{ code: number; body: Body }> {
  const response = await send(method, path, body);
  const text = await response.text();
  return { code: response.status, body: JSON.parse(text || 'null') as Body };
}

const LINES = 'application/x-ndjson';
const linesOf = async (response: Response): Promise<KernelLine[]> =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('kernels', () => {
  const run = (name: string, body: object) => call<KernelResult>('POST', `/kernels/${id}/${name}/run`, body);

  it('are started, listed, run with lasting state, and ended', async () => {
    const started = await call('POST', `/kernels/${id}`, { language: 'python', name: 'mine' });
    expect(started).toMatchObject({ code: 201, body: { name: 'mine', spec: 'python', busy: false } });
    expect((await call('POST', `/kernels/${id}`, { language: 'python', name: 'mine' })).code).toBe(200);
    await run('mine', { code: 'import os; x = 41' });
    const { body } = await run('mine', { code: "print(os.environ['GREETING'])\nx + 1" });
    expect(body).toMatchObject({
      outputs: [
        { type: 'stdout', text: 'hi\n' },
        { type: 'display', kind: 'result', data: { 'text/plain': '42' } },
      ],
      ...{ fault: null, truncated: false },
    });
    const listed = await call<KernelList>('GET', `/kernels/${id}`);
    expect(listed.body.kernels).toEqual([
      { name: 'mine', spec: 'python', pid: started.body.pid, busy: false },
    ]);
    expect(listed.body.specs).toContainEqual(expect.objectContaining({ spec: 'typescript' }));
    expect((await call('POST', `/kernels/${id}/mine/restart`)).code).toBe(204);
    expect((await run('mine', { code: 'x' })).body).toMatchObject({
      fault: { code: 'KERNEL_EXCEPTION' },
      exception: { name: 'NameError' },
    });
    expect((await call('DELETE', `/kernels/${id}/mine`)).code).toBe(204);
    expect(await call('DELETE', `/kernels/${id}/mine`)).toMatchObject({
      code: 404,
      body: { code: 'KERNEL_UNKNOWN' },
    });
  });

  it('give a plot as PNG, as it comes, and end with what went wrong', async () => {
    const code =
      "import matplotlib.pyplot as plt\nprint('plot')\nplt.plot([1, 2])\nplt.show()\nraise ValueError('over')";
    const lines = await linesOf(await send('POST', `/kernels/${id}/python/run`, { code }, LINES));
    const shown = lines.find((line) => line.type === 'display');
    expect(lines[0]).toEqual({ type: 'stdout', text: 'plot\n' });
    expect(Buffer.from(shown?.data['image/png'] ?? '', 'base64').toString('latin1', 1, 4)).toBe('PNG');
    expect(lines.at(-1)).toMatchObject({ type: 'ended', exception: { message: 'over' } });
  });

  it('run JavaScript, and stop when they are told to, or when the client goes', async () => {
    const pages = await run('js', { language: 'javascript', code: '[1, 2].map((n) => n * 2)' });
    expect(pages.body.outputs).toMatchObject([{ data: { 'text/plain': '[ 2, 4 ]' } }]);
    const endless = run('js', { code: 'while (true) {}' });
    await vi.waitFor(async () => {
      expect((await call<KernelList>('GET', `/kernels/${id}`)).body.kernels).toContainEqual(
        expect.objectContaining({ name: 'js', busy: true }),
      );
    });
    expect((await call('POST', `/kernels/${id}/js/interrupt`)).code).toBe(204);
    expect((await endless).body.fault?.code).toBe('KERNEL_INTERRUPTED');
    const leaving = new AbortController();
    const stream = await fetch(`${api.url}/kernels/${id}/js/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: LINES },
      body: JSON.stringify({ code: "console.log('on'); while (true) {}" }),
      signal: leaving.signal,
    });
    await stream.body?.getReader().read();
    leaving.abort();
    await vi.waitFor(
      async () =>
        expect((await sandbox.kernels.list()).kernels).not.toContainEqual(
          expect.objectContaining({ busy: true }),
        ),
      10_000,
    );
  });

  it('say what cannot be run', async () => {
    expect(await run('cobol', { code: '1' })).toMatchObject({ code: 404, body: { code: 'KERNEL_UNKNOWN' } });
    expect(await run('python', { code: 1 })).toMatchObject({ code: 422 });
    const long = await run('python', { code: "print('x' * 9_000_000)" });
    expect(long.body).toMatchObject({ truncated: true, fault: null });
    const [printed] = long.body.outputs;
    expect(printed?.type === 'stdout' && printed.text.length).toBe(8 * 1024 * 1024);
  });
});

describe('processes and shells', () => {
  it('a process goes on after its call, is read from where one was, written to and ended', async () => {
    const { body: started, code } = await call('POST', `/processes/${id}`, { command: 'echo ready; cat' });
    expect(code).toBe(201);
    const path = `/processes/${id}/${started.process_id}`;
    await vi.waitFor(async () => expect((await call('GET', path)).body.stdout).toBe('ready\n'));
    const follow = send('GET', `${path}?follow=1&stdout_from=6`, undefined, LINES);
    expect((await call('POST', `${path}/stdin`, { text: 'typed\n', end: true })).code).toBe(204);
    expect(await linesOf(await follow)).toMatchObject([
      { type: 'stdout', text: 'typed\n' },
      { type: 'process', process: { ended: { exit_code: 0 } }, stdout_next: 12 },
    ]);
    expect((await call('GET', `/processes/${id}`)).body.processes).toContainEqual(
      expect.objectContaining({ process_id: started.process_id, background: true }),
    );
  });

  it('a signal ends it; what is unknown is told', async () => {
    const { body } = await call('POST', `/processes/${id}`, { argv: ['sleep', '600'] });
    const path = `/processes/${id}/${body.process_id}`;
    expect((await call('POST', `${path}/signal`, { signal: 'SIGTERM' })).code).toBe(204);
    await vi.waitFor(async () => {
      expect((await call<Output>('GET', path)).body.process.ended).toMatchObject({ signal: 'SIGTERM' });
    });
    expect(await call('GET', `/processes/${id}/none`)).toMatchObject({
      code: 404,
      body: { code: 'PROCESS_NOT_FOUND' },
    });
    expect((await call('GET', `${path}?follow=1`)).body.code).toBe('NOT_ACCEPTABLE');
  });

  it('gives the last MiB of what was printed, and says where that begins', async () => {
    const command = 'head -c 1500000 /dev/zero | tr "\\0" x';
    const { body } = await call('POST', `/processes/${id}`, { command });
    await vi.waitFor(async () => {
      const found = await call<Output>('GET', `/processes/${id}/${body.process_id}`);
      expect(found.body.process.ended).not.toBeNull();
      expect(found.body).toMatchObject({ stdout_from: 1_500_000 - 1024 * 1024, stdout_next: 1_500_000 });
      expect(found.body.stdout.length).toBe(1024 * 1024);
    });
  });

  it('a shell session keeps its folder and variables', async () => {
    const shell = (body: object) => call('POST', `/shell/${id}`, body);
    await shell({ command: 'mkdir -p in; cd in; WORD=kept' });
    expect((await shell({ command: 'echo $WORD; exit_with() { return 3; }; exit_with' })).body).toMatchObject(
      {
        ...{ stdout: 'kept\n', exit_code: 3, cwd: '/workspace/in', restarted: false },
      },
    );
    expect((await shell({ command: 'echo [$WORD]', session: 'other' })).body.stdout).toBe('[]\n');
    const lines = await linesOf(await send('POST', `/shell/${id}`, { command: 'echo $WORD' }, LINES));
    expect(lines).toMatchObject([{ text: 'kept\n' }, { type: 'ended', cwd: '/workspace/in' }]);
  });

  it('a terminal is listed and ended', async () => {
    const terminal = new WebSocket(`${api.url.replace('http', 'ws')}/terminal/${id}?name=mine`);
    await once(terminal, 'message');
    expect((await call('GET', `/terminals/${id}`)).body.terminals).toMatchObject([
      { name: 'mine', viewers: 1 },
    ]);
    const closed = once(terminal, 'close');
    expect((await call('DELETE', `/terminals/${id}/mine`)).code).toBe(204);
    expect((await closed)[0]).toBe(1_000);
    expect((await call('DELETE', `/terminals/${id}/mine`)).body.code).toBe('PROCESS_NOT_FOUND');
  });
});

describe('files', () => {
  const file = (path: string) => `/files/${id}/${path}`;

  it('are moved, appended to, told of, and listed to a depth; folders are made', async () => {
    expect(await call('PUT', file('a/b?folder=1'))).toMatchObject({ code: 201, body: { type: 'directory' } });
    for (const part of ['one ', 'two'])
      await fetch(`${api.url}${file('a/b/c.txt?append=1')}`, { method: 'PUT', body: part });
    expect(await call('PATCH', file('a/b/c.txt'), { path: 'd/e.txt' })).toMatchObject({
      code: 200,
      body: { path: 'd/e.txt', size: 7 },
    });
    expect((await call('GET', file('d/e.txt?stat=1'))).body).toMatchObject({
      path: 'd/e.txt',
      type: 'file',
      size: 7,
    });
    await call('PUT', file('a/b/deep?folder=1'));
    expect((await call('GET', file('a?depth=3'))).body.entries).toMatchObject([
      { path: 'a/b' },
      { path: 'a/b/deep' },
    ]);
    expect(await call('PATCH', file('d/e.txt'), { path: 'a/b' })).toMatchObject({
      code: 409,
      body: { code: 'PATH_EXISTS' },
    });
    expect((await call('PATCH', file('d/e.txt'), { path: '../out' })).body.code).toBe('INVALID_PATH');
  });
});

describe('a watch', () => {
  it('tells changes as events until the client goes', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${api.url}/watch/${id}/watched%20folder`, { signal: leaving.signal });
    expect([response.status, ((await response.json()) as Json).code]).toEqual([404, 'PATH_NOT_FOUND']);
    await call('PUT', `/files/${id}/watched%20folder/in?folder=1`);
    const stream = await fetch(`${api.url}/watch/${id}/watched%20folder`, { signal: leaving.signal });
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    let told = '';
    const reading = (async () => {
      for await (const bytes of stream.body ?? []) told += new TextDecoder().decode(bytes);
    })().catch(() => {});
    await vi.waitFor(() => expect(told).toBe('event: watching\ndata: {}\n\n'), 5_000);
    await call('PUT', `/files/${id}/watched%20folder/node_modules/left.js`);
    await call('PUT', `/files/${id}/watched%20folder/in/new.txt`);
    const data = { kind: 'created', path: 'watched folder/in/new.txt', file_type: 'file' };
    await vi.waitFor(() => expect(told).toContain(`event: change\ndata: ${JSON.stringify(data)}\n\n`), 5_000);
    expect(told).not.toContain('node_modules');
    leaving.abort();
    await reading;
    // The sandbox holds eight: one for each client that has gone would be too many.
    for (let i = 0; i < 10; i += 1) {
      const again = new AbortController();
      const next = await fetch(`${api.url}/watch/${id}?recursive=0`, { signal: again.signal });
      const first = await next.body?.getReader().read();
      expect(Buffer.from(first?.value ?? []).toString()).toContain('event: watching');
      again.abort();
    }
  });
});

describe('the desktop', () => {
  const act = (actions: object[], more: object = {}) =>
    call('POST', `/desktop/${id}/act`, { actions, ...more });

  it('is started, seen whole, in part and smaller, and acted on in the coordinates of a picture', async () => {
    const info = await call('POST', `/desktop/${id}/start`, { width: 800, height: 600 });
    expect(info.body).toMatchObject({ running: true, width: 800, height: 600 });
    const launched = await call('POST', `/desktop/${id}/launch`, {
      command: 'xterm -geometry 60x20+100+100 -e "cat > typed"',
    });
    expect(launched.body).toMatchObject({ ended: null, windows: [{ class: 'XTerm' }] });

    const picture = await send('GET', `/desktop/${id}/screenshot?scale=0.5`, undefined, '*/*');
    expect(picture.headers.get('content-type')).toBe('image/png');
    const frame = JSON.parse(picture.headers.get('x-frame') ?? '') as Frame;
    expect(frame).toEqual({ region: { x: 0, y: 0, width: 800, height: 600 }, width: 400, height: 300 });
    const png = Buffer.from(await picture.arrayBuffer());
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([400, 300]);

    const part = await call<TakenPicture>(
      'GET',
      `/desktop/${id}/screenshot?x=100&y=100&width=50&height=40&format=jpeg`,
    );
    expect(part.body).toMatchObject({
      format: 'jpeg',
      frame: { region: { x: 100, y: 100, width: 50, height: 40 }, width: 50, height: 40 },
    });
    expect(Buffer.from(part.body.image_base64, 'base64').length).toBe(part.body.bytes);

    // A pixel of the smaller picture is the middle of what it shows.
    const clicked = await act([{ action: 'click', x: 100, y: 80 }, { action: 'cursor' }], { frame });
    expect(clicked.body.results).toEqual([{}, { x: 201, y: 161 }]);
    const typed = await act([
      { action: 'type', text: 'grüße\n' },
      { action: 'wait_change', timeout_ms: 5_000 },
      { action: 'write_clipboard', text: 'clip' },
      { action: 'read_clipboard' },
      { action: 'windows' },
    ]);
    expect(typed.body.results).toMatchObject([
      {},
      { happened: true },
      {},
      { text: 'clip' },
      { windows: [{ class: 'XTerm' }] },
    ]);
    await vi.waitFor(async () =>
      expect(await (await fetch(`${api.url}/files/${id}/typed`)).text()).toBe('grüße\n'),
    );
  });

  it('says what cannot be done', async () => {
    expect(await act([{ action: 'move', x: 9_000, y: 1 }])).toMatchObject({
      body: { code: 'INVALID_ARGUMENT' },
    });
    expect(await act([{ action: 'focus', window: 4_711 }])).toMatchObject({
      body: { code: 'WINDOW_NOT_FOUND' },
    });
    expect(await act([{ action: 'fly' }])).toMatchObject({ code: 422 });
    expect(await call('GET', `/desktop/${id}/screenshot?x=1`)).toMatchObject({ code: 422 });
    const ended = await call('POST', `/desktop/${id}/launch`, { command: 'echo no screen; exit 3' });
    expect(ended.body).toMatchObject({ windows: [], ended: { exit_code: 3, output: 'no screen\n' } });
  });

  it('is for whoever has control, while somebody has', async () => {
    const { token } = await takeControl(api.store, { jobId: id, holder: 'Ada', ttlS: 60 });
    const actions = [{ action: 'cursor' }];
    expect(await act(actions)).toMatchObject({ code: 409, body: { code: 'CONTROL_TAKEN' } });
    expect(await act(actions, { control: 'other' })).toMatchObject({ code: 409 });
    expect(await call('POST', `/desktop/${id}/launch`, { command: 'true' })).toMatchObject({ code: 409 });
    expect((await act(actions, { control: token })).code).toBe(200);
    expect((await call('GET', `/desktop/${id}/screenshot`)).code).toBe(200);
    await call('DELETE', `/desktop/${id}/control?token=${token}`);
    expect((await act(actions)).code).toBe(200);
  });
});
