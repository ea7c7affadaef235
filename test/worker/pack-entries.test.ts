import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPromise } from 'yauzl';
import { unpack } from '../../src/cli/unpack.ts';
import type { ArchiveMessage } from '../../src/protocol/sandboxd.ts';
import { createManifest } from '../../src/worker/output-manifest.ts';
import { packEntries } from '../../src/worker/pack-entries.ts';
import { createSpool } from '../../src/worker/spool.ts';
import { createZipWriter } from '../../src/worker/zip-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pack-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Message = ArchiveMessage | Buffer;
const modified = '2026-01-02T03:04:05.000Z';
const entry = (path: string, more: Partial<Extract<ArchiveMessage, { event: 'entry' }>> = {}): Message => ({
  event: 'entry',
  path,
  type: 'file',
  size: 0,
  mode: 0o644,
  modified,
  target: null,
  ...more,
});
const file = (path: string, bytes: Buffer | string, mode = 0o644): Message[] => [
  entry(path, { size: Buffer.byteLength(bytes), mode }),
  Buffer.from(bytes),
  { event: 'file_end', complete: true },
];
const link = (path: string, target: string) => entry(path, { type: 'symlink', target });

/** Packs these messages; `failure` breaks the stream after them. */
async function pack(
  messages: Message[],
  { maxBytes = 1e9, failure }: { maxBytes?: number; failure?: Error } = {},
) {
  async function* stream() {
    yield* messages;
    if (failure) throw failure;
  }
  const path = join(folder, 'output.zip');
  const zip = createZipWriter(createWriteStream(path));
  const spool = createSpool(folder);
  const manifest = createManifest('job');
  const options = { stream: stream(), zip, manifest, spool, maxBytes, reserved: ['.agent/manifest.json'] };
  const error = await packEntries(options).then(
    () => null,
    (reason: unknown) => reason,
  );
  const ended = await zip.end();
  await spool.close();
  return { path, error, ended, manifest: manifest.finish(null) };
}

async function unpackInto(path: string) {
  const to = join(folder, 'unpacked');
  return { to, ...(await unpack(path, to)) };
}

test('files, folders, links and modes arrive as they were, less special bits', async () => {
  const large = randomBytes(3_000_000);
  const { path, ended, manifest } = await pack([
    entry('dir', { type: 'directory', mode: 0o2777 }),
    ...file('dir/run.sh', 'echo', 0o4777),
    ...file('secret', 'x', 0o000),
    ...file('empty', ''),
    ...file('large.bin', large),
    link('dir/up', '../large.bin'),
  ]);
  const { to, paths } = await unpackInto(path);
  expect(paths).toEqual(['dir/run.sh', 'dir/up', 'empty', 'large.bin', 'secret']);
  expect((await lstat(join(to, 'dir/run.sh'))).mode & 0o7777).toBe(0o755);
  expect((await readFile(join(to, 'large.bin'))).equals(large)).toBe(true);
  expect(await readlink(join(to, 'dir/up'))).toBe('../large.bin');
  expect(manifest.entries.find((one) => one.path === 'large.bin')).toMatchObject({
    size: 3_000_000,
    sha256: createHash('sha256').update(large).digest('hex'),
  });
  const zip = await readFile(path);
  expect(ended).toEqual({ bytes: zip.length, sha256: createHash('sha256').update(zip).digest('hex') });
  const modes = new Map<string, number>();
  for await (const one of (await openPromise(path)).eachEntry()) {
    modes.set(one.fileName, one.externalFileAttributes >>> 16);
  }
  expect(modes.get('secret')).toBe(0o100600);
  expect(modes.get('dir/')).toBe(0o040755);
  expect(modes.get('dir/up')).toBe(0o120777);
});

test('names and links that lead out, and names given twice, are left out and listed', async () => {
  const { path, manifest } = await pack([
    ...file('../up', 'x'),
    ...file('/abs', 'x'),
    ...file('.agent/manifest.json', 'forged'),
    ...file('good', 'first'),
    ...file('good', 'second'),
    link('out', '/etc'),
    link('in', 'good'),
    ...file('in/below', 'x'),
    link('climb', 'in/../../x'),
    { event: 'left_out', path: 'pipe', reason: 'special_file' },
  ]);
  const { to, paths } = await unpackInto(path);
  expect(paths).toEqual(['good', 'in']);
  expect(await readFile(join(to, 'good'), 'utf8')).toBe('first');
  expect(manifest.left_out).toEqual([
    { path: '../up', reason: 'unsafe_name' },
    { path: '/abs', reason: 'unsafe_name' },
    { path: '.agent/manifest.json', reason: 'duplicate' },
    { path: 'good', reason: 'duplicate' },
    { path: 'out', reason: 'link_leaves_tree' },
    { path: 'in/below', reason: 'duplicate' },
    { path: 'climb', reason: 'link_leaves_tree' },
    { path: 'pipe', reason: 'special_file' },
  ]);
});

test('what is beyond the cap is left out, also when its size was a lie', async () => {
  const { path, manifest } = await pack(
    [
      ...file('a', 'x'.repeat(60)),
      ...file('b', 'x'.repeat(60)),
      entry('liar', { size: 1 }),
      Buffer.alloc(60),
      { event: 'file_end', complete: true },
      ...file('c', 'x'.repeat(40)),
    ],
    { maxBytes: 100 },
  );
  expect((await unpackInto(path)).paths).toEqual(['a', 'c']);
  expect(manifest.left_out).toEqual([
    { path: 'b', reason: 'too_large' },
    { path: 'liar', reason: 'too_large' },
  ]);
});

test('a file that is cut never looks whole', async () => {
  const failure = new Error('cut');
  const { path, error, manifest } = await pack(
    [
      ...file('whole', 'w'),
      entry('shrunk', { size: 9 }),
      Buffer.from('shr'),
      { event: 'file_end', complete: false },
      entry('unended', { size: 4 }),
      Buffer.from('un'),
      entry('cut', { size: 4 }),
      Buffer.from('cu'),
    ],
    { failure },
  );
  expect(error).toBe(failure);
  expect((await unpackInto(path)).paths).toEqual(['whole']);
  expect(manifest.left_out).toEqual([
    { path: 'shrunk', reason: 'changed_while_read' },
    { path: 'unended', reason: 'changed_while_read' },
    { path: 'cut', reason: 'cut_off' },
  ]);
});

test('hundreds of small files, and nothing is left in the spool', async () => {
  const names = Array.from({ length: 600 }, (_, i) => `d${i % 7}/f${String(i).padStart(4, '0')}`);
  const { path } = await pack(names.flatMap((name) => file(name, name)));
  const { paths, bytes } = await unpackInto(path);
  expect(paths).toEqual(names.toSorted());
  expect(bytes).toBe(names.join('').length);
  expect((await readdir(folder)).toSorted()).toEqual(['output.zip', 'unpacked']);
});

test('a broken entry time does not break the zip', async () => {
  const { path } = await pack([
    entry('old', { type: 'directory', modified: '0001-01-01T00:00:00.000Z' }),
    entry('new', { type: 'directory', modified: '9999-01-01T00:00:00.000Z' }),
  ]);
  await expect(unpackInto(path)).resolves.toMatchObject({ paths: [] });
});
