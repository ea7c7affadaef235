import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readlink, stat, symlink, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { useSandbox } from './support.ts';

const used = useSandbox();
const inside = (path: string): string => join(used.local.workspace, path);

async function text(path: string, part: { offset?: number; length?: number } = {}): Promise<string> {
  const { bytes } = await used.sandbox.read(path, part);
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('files', () => {
  it('are written whole, with the folders above them, and read back', async () => {
    const info = await used.sandbox.write('deep/er/a.txt', 'hello', { mode: 0o750 });
    expect(info).toMatchObject({
      path: inside('deep/er/a.txt'),
      type: 'file',
      size: 5,
      mode: 0o750,
      target: null,
    });
    expect(await text('deep/er/a.txt')).toBe('hello');
    expect(await used.sandbox.stat('deep/er/a.txt')).toEqual(info);
  });

  it('keep their mode when they are written anew', async () => {
    await used.sandbox.write('script', 'one');
    expect((await used.sandbox.stat('script')).mode).toBe(0o644);
    await chmod(inside('script'), 0o755);
    expect((await used.sandbox.write('script', 'two')).mode).toBe(0o755);
  });

  it('are read in part', async () => {
    await used.sandbox.write('part', '0123456789');
    expect(await text('part', { offset: 3, length: 4 })).toBe('3456');
    expect(await text('part', { offset: 8 })).toBe('89');
    expect(await text('part', { offset: 50 })).toBe('');
    expect(await text('part', { length: 0 })).toBe('');
  });

  it('are appended to', async () => {
    await used.sandbox.write('log', 'a', { append: true });
    expect(await used.sandbox.write('log', 'b', { append: true })).toMatchObject({ size: 2 });
    expect(await text('log')).toBe('ab');
  });

  it('may be empty, and may be those of /proc, which claim to be', async () => {
    await used.sandbox.write('empty', '');
    expect(await text('empty')).toBe('');
    expect(await text('/proc/version')).toContain('Linux');
  });

  it('are written and read through symlinks, which stay', async () => {
    await used.sandbox.write('target', 'old');
    await symlink('target', inside('link'));
    await symlink('missing', inside('dangling'));
    await used.sandbox.write('link', 'new');
    await used.sandbox.write('dangling', 'made');
    expect([await text('target'), await text('link'), await text('missing')]).toEqual(['new', 'new', 'made']);
    expect(await readlink(inside('link'))).toBe('target');
    expect(await used.sandbox.stat('link')).toMatchObject({ type: 'symlink', target: 'target' });
    await symlink('loop', inside('loop'));
    await expect(used.sandbox.write('loop', 'x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('that are none never block a call', async () => {
    spawnSync('mkfifo', [inside('fifo')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(inside('socket'), resolve));
    for (const path of ['fifo', 'socket', '/dev/zero', '/dev/null']) {
      await expect(used.sandbox.read(path)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
      await expect(used.sandbox.write(path, 'x')).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    }
    server.close();
    expect((await used.sandbox.stat('fifo')).type).toBe('fifo');
    await used.sandbox.remove('fifo');
  });

  it.each([
    ['PATH_NOT_FOUND', () => used.sandbox.read('nothing')],
    ['PATH_NOT_FOUND', () => used.sandbox.stat('nothing')],
    ['PATH_NOT_FOUND', () => used.sandbox.list('nothing')],
    ['PATH_NOT_FOUND', () => used.sandbox.remove('nothing')],
    ['PATH_NOT_FOUND', () => used.sandbox.move('nothing', 'a')],
    ['IS_A_DIRECTORY', () => used.sandbox.read('.')],
    ['IS_A_DIRECTORY', () => used.sandbox.write('/tmp', 'x')],
    ['NOT_A_DIRECTORY', () => used.sandbox.list('/etc/hostname')],
    ['NOT_A_DIRECTORY', () => used.sandbox.read('/etc/hostname/x')],
    ['PERMISSION_DENIED', () => used.sandbox.write('/proc/x', 'y')],
    ['INVALID_ARGUMENT', () => used.sandbox.read('')],
    ['INVALID_ARGUMENT', () => used.sandbox.read('a\0b')],
    ['INVALID_ARGUMENT', () => used.sandbox.stat('x'.repeat(300))],
    ['INVALID_ARGUMENT', () => used.sandbox.list('.', { depth: 0 })],
  ])('fail with %s (%s)', async (code, call) => {
    const failure = await call().catch((error: unknown) => error);
    // A folder below /proc cannot be made; kernels differ in how they say so.
    const codes = code === 'PERMISSION_DENIED' ? ['PERMISSION_DENIED', 'PATH_NOT_FOUND'] : [code];
    expect(codes).toContain((failure as { code?: string }).code);
  });

  it('say that the disk is full, and leave nothing behind', async () => {
    const folder = inside('small');
    await mkdir(folder);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]).status === 0;
    try {
      const big = Buffer.alloc(3_000_000);
      const path = mounted ? 'small/big' : '/dev/full/big';
      if (!mounted) return;
      await expect(used.sandbox.write(path, big)).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(await readdir(folder)).toEqual([]);
    } finally {
      if (mounted) spawnSync('umount', [folder]);
    }
  });

  it('go when writing them is cut, and the old ones stay', async () => {
    await used.sandbox.write('cut/file', 'old');
    const controller = new AbortController();
    const bytes = async function* () {
      yield Buffer.alloc(100_000);
      await vi.waitFor(async () => expect(await readdir(inside('cut'))).toHaveLength(2));
      controller.abort(new Error('cut'));
      yield Buffer.alloc(100_000);
    };
    await expect(used.sandbox.write('cut/file', bytes(), { signal: controller.signal })).rejects.toThrow(
      'cut',
    );
    await vi.waitFor(async () => expect(await readdir(inside('cut'))).toEqual(['file']));
    expect(await text('cut/file')).toBe('old');
    const broken = async function* () {
      yield Buffer.from('new');
      throw new Error('broken source');
    };
    await expect(used.sandbox.write('cut/file', broken())).rejects.toThrow('broken source');
    await vi.waitFor(async () => expect(await readdir(inside('cut'))).toEqual(['file']));
    expect(await text('cut/file')).toBe('old');
  });

  it('of 200 MB pass both ways with little memory', async () => {
    const chunk = Buffer.alloc(1_000_000, 'sandbox');
    const sent = createHash('sha256');
    let peak = 0;
    const bytes = async function* () {
      for (let i = 0; i < 200; i++) {
        sent.update(chunk);
        yield chunk;
        peak = Math.max(peak, memory());
      }
    };
    const before = memory();
    await used.sandbox.write('large', bytes());
    const read = createHash('sha256');
    for await (const piece of (await used.sandbox.read('large')).bytes) {
      read.update(piece);
      peak = Math.max(peak, memory());
    }
    expect(read.digest('hex')).toBe(sent.digest('hex'));
    expect(peak - before).toBeLessThan(80_000_000);
    await used.sandbox.remove('large');
  });

  it('are listed to a depth, in order, up to a limit', async () => {
    for (const path of ['l/b/2', 'l/b/1', 'l/a', 'l/c/x/y']) await used.sandbox.write(path, '');
    const names = async (options: { depth?: number; limit?: number }) => {
      const { entries, truncated } = await used.sandbox.list('l', options);
      return [entries.map(({ path }) => path.slice(inside('l/').length)).join(' '), truncated];
    };
    expect(await names({})).toEqual(['a b c', false]);
    expect(await names({ depth: 2 })).toEqual(['a b b/1 b/2 c c/x', false]);
    expect(await names({ depth: 9, limit: 4 })).toEqual(['a b b/1 b/2', true]);
    expect(await names({ depth: 9, limit: 7 })).toEqual(['a b b/1 b/2 c c/x c/x/y', false]);
  });

  it('are listed in thousands', async () => {
    await used.sandbox.exec({ shell: 'mkdir many; cd many; seq -w 1 20000 | xargs touch' });
    const { entries, truncated } = await used.sandbox.list('many', { limit: 3 });
    expect([entries.map(({ path }) => path.slice(-5)), truncated]).toEqual([
      ['00001', '00002', '00003'],
      true,
    ]);
    expect((await used.sandbox.list('many', { limit: 100_000 })).entries).toHaveLength(20_000);
    await used.sandbox.remove('many', { recursive: true });
  });

  it('may have any time', async () => {
    await used.sandbox.exec({
      shell: 'touch -d 1902-03-04T05:06:07Z old; touch -d 2400-01-01T00:00:00Z late',
    });
    expect((await used.sandbox.stat('old')).modified).toMatch(/^1902-03-04T05:06:07/);
    // Not every file system knows the year 2400; whatever it says must be a date.
    expect((await used.sandbox.stat('late')).modified).toMatch(/^2\d{3}-/);
  });

  it('are moved, never over one another unless that is meant', async () => {
    await used.sandbox.write('from', 'f');
    await used.sandbox.write('to', 't');
    await expect(used.sandbox.move('from', 'to')).rejects.toMatchObject({ code: 'PATH_EXISTS' });
    await used.sandbox.move('from', 'to', { overwrite: true });
    expect(await text('to')).toBe('f');
    await used.sandbox.move('to', 'new/folder/it');
    expect(await text('new/folder/it')).toBe('f');
    await used.sandbox.move('new', '/dev/shm/sandboxd-test-moved', { overwrite: true });
    expect(await text('/dev/shm/sandboxd-test-moved/folder/it')).toBe('f');
    await used.sandbox.remove('/dev/shm/sandboxd-test-moved', { recursive: true });
  });

  it('are removed, folders only when empty or when that is meant', async () => {
    await used.sandbox.write('gone/a/b', '');
    await expect(used.sandbox.remove('gone')).rejects.toMatchObject({ code: 'IS_A_DIRECTORY' });
    await symlink('/etc', inside('gone/etc'));
    await used.sandbox.remove('gone', { recursive: true });
    await expect(used.sandbox.stat('gone')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    expect((await stat('/etc')).isDirectory()).toBe(true);
    await used.sandbox.mkdir('void');
    await used.sandbox.remove('void');
  });

  it('get their folders made, once or again', async () => {
    await used.sandbox.mkdir('m/n', { mode: 0o700 });
    await used.sandbox.mkdir('m/n');
    expect(await used.sandbox.stat('m/n')).toMatchObject({ type: 'directory', mode: 0o700 });
    await used.sandbox.write('m/file', '');
    await expect(used.sandbox.mkdir('m/file')).rejects.toMatchObject({ code: 'PATH_EXISTS' });
  });

  it('that shrink while they are read end where they end', async () => {
    await used.sandbox.write('shrinks', Buffer.alloc(30_000_000));
    const { info, bytes } = await used.sandbox.read('shrinks');
    let length = 0;
    for await (const piece of bytes) {
      if (length === 0) await truncate(inside('shrinks'), 10_000_000);
      length += piece.length;
    }
    expect(info.size).toBe(30_000_000);
    expect(length).toBe(10_000_000);
  });

  it('stop being read when the reader goes', async () => {
    await used.sandbox.write('half', Buffer.alloc(20_000_000));
    const { bytes } = await used.sandbox.read('half');
    for await (const _piece of bytes) break;
    await vi.waitFor(() => expect(openFiles('half')).toBe(0));
  });
});

const memory = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${used.local.pid}/status`, 'utf8'))?.[1]) * 1_024;

function openFiles(name: string): number {
  const listed = spawnSync('ls', ['-l', `/proc/${used.local.pid}/fd`]).stdout.toString();
  return listed.split(inside(name)).length - 1;
}
