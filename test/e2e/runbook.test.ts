import { createHash } from 'node:crypto';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { dataOf, runbook, startTestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

test('a runbook goes in, a zip comes out', async () => {
  const server = await startTestServer();
  const { id, events, status } = await server.run({
    prompt: runbook(
      'mkdir -p out && echo "hello $NAME" | tee out/hello.txt; cat in/data.txt >&2',
      'cd out; sha256sum hello.txt',
    ),
    files: [
      { path: 'in/data.txt', content: 'from the client\n' },
      { path: 'in/tool.sh', content_base64: Buffer.from('#!/bin/sh\n').toString('base64'), executable: true },
    ],
    env: { NAME: 'world' },
  });
  expect(status).toMatchObject({ status: 'complete', error: null });
  expect(events.map(({ type }) => type)).toEqual([
    'job.scheduled',
    'job.started',
    'sandbox.started',
    'input.ready',
    'block.started',
    'block.ended',
    'block.started',
    'block.ended',
    'output.packed',
    'job.ended',
  ]);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(dataOf(events, 'input.ready')).toEqual([{ files: 2, bytes: 26, git: null }]);
  expect(await server.log(id)).toContain('hello world\n');
  expect(await server.log(id, 'stderr')).toContain('from the client\n');

  const output = await unpackOutput(server, id);
  expect(output.paths).toEqual(['.agent/manifest.json', 'in/data.txt', 'in/tool.sh', 'out/hello.txt']);
  expect(await output.text('out/hello.txt')).toBe('hello world\n');
  expect((await lstat(join(output.root, 'in/tool.sh'))).mode & 0o777).toBe(0o755);
  expect(output.manifest.complete).toBe(true);
  const hello = output.manifest.entries.find(({ path }) => path === 'out/hello.txt');
  expect(hello?.sha256).toBe(createHash('sha256').update('hello world\n').digest('hex'));
  const { output: info } = await server.job(id);
  const zip = await readFile(output.zip);
  expect(info).toMatchObject({ bytes: zip.length, files: 3 });
  expect(info?.sha256).toBe(createHash('sha256').update(zip).digest('hex'));
  await vi.waitFor(async () => expect(await server.sandboxes()).toEqual([]));
});

test('a failed block ends the job, which still gives its logs and its output', async () => {
  const server = await startTestServer();
  const { id, events, status } = await server.run({
    prompt: runbook(
      'echo kept > kept.txt',
      'echo working; echo broken >&2; exit 7',
      'echo never > never.txt',
    ),
  });
  expect(status).toMatchObject({ status: 'failed', error: { code: 'RUNBOOK_BLOCK_FAILED' } });
  expect(status.error?.message).toContain('broken');
  expect(dataOf(events, 'block.ended').map(({ exit_code }) => exit_code)).toEqual([0, 7]);
  expect(await server.log(id)).toContain('working');
  expect(await server.log(id, 'stderr')).toContain('broken');
  expect((await unpackOutput(server, id)).paths).toEqual(['.agent/manifest.json', 'kept.txt']);
});

test('a job that runs out of time ends, with what it had printed and written', async () => {
  const server = await startTestServer();
  const { id, status } = await server.run({
    prompt: runbook('echo early > early.txt; echo printed; sleep 60'),
    limits: { timeout_s: 8 },
  });
  expect(status).toMatchObject({ status: 'failed', error: { code: 'JOB_TIMEOUT' } });
  expect(await server.log(id)).toContain('printed');
  expect((await unpackOutput(server, id)).paths).toContain('early.txt');
});

test('tricks with names, links and special files in the workspace do no harm', async () => {
  const server = await startTestServer();
  const { id, status } = await server.run({
    prompt: runbook(
      [
        'ln -s /etc/passwd absolute',
        'ln -s ../../etc/passwd climbing',
        'ln -s . here && ln -s here/../../x via-link',
        'echo x > file && ln -s file good && chmod 6777 file',
        'mkfifo pipe',
        'echo x > "back\\\\slash"',
        'mkdir -p .agent && echo forged > .agent/manifest.json',
        'mkdir secret && chmod 000 secret',
        "python3 -c \"import os; open(b'bad-\\xff', 'w').close()\"",
      ].join('\n'),
    ),
  });
  expect(status).toMatchObject({ status: 'complete' });
  const { paths, manifest, root } = await unpackOutput(server, id);
  expect(paths.filter((path) => !path.startsWith('bad-'))).toEqual([
    '.agent/manifest.json',
    'file',
    'good',
    'here',
  ]);
  expect(await readlink(join(root, 'good'))).toBe('file');
  expect((await lstat(join(root, 'file'))).mode & 0o7000).toBe(0);
  const reasons = new Map(manifest.left_out.map(({ path, reason }) => [path, reason]));
  expect(reasons.get('absolute')).toBe('link_leaves_tree');
  expect(reasons.get('climbing')).toBe('link_leaves_tree');
  expect(reasons.get('via-link')).toBe('link_leaves_tree');
  expect(reasons.get('pipe')).toBe('special_file');
  expect(reasons.get('back\\slash')).toBe('unsafe_name');
  expect(reasons.get('.agent/manifest.json')).toBe('duplicate');
});

test('an Idempotency-Key makes a retry the same job', async () => {
  const server = await startTestServer();
  const send = (prompt: string) =>
    fetch(`${server.url}/schedule`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
      body: JSON.stringify({ prompt }),
    });
  const [first, second] = await Promise.all([send(runbook('true')), send(runbook('true'))]);
  const ids = await Promise.all(
    [first, second].map(async (one) => ((await one.json()) as { job_id: string }).job_id),
  );
  expect(ids[0]).toBe(ids[1]);
  expect((await send(runbook('false'))).status).toBe(409);
  await server.ended(ids[0] ?? '');
  const jobs = (await (await fetch(`${server.url}/jobs`)).json()) as { jobs: unknown[] };
  expect(jobs.jobs).toHaveLength(1);
});
