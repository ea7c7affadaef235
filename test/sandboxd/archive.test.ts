import { spawnSync } from 'node:child_process';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { useSandbox } from './support.ts';

const used = useSandbox();
const inside = (path: string): string => join(used.local.workspace, path);

/** What the archive holds, a line for each entry. */
async function archive(include: string[], exclude: string[], root = 'tree'): Promise<string[]> {
  const lines: string[] = [];
  let bytes = '';
  for await (const message of used.sandbox.archive({ root, include, exclude })) {
    if (Buffer.isBuffer(message)) bytes += message.toString();
    else if (message.event === 'entry') {
      const target = message.target === null ? '' : ` -> ${message.target}`;
      lines.push(`${message.type[0]} ${message.path}${target}`);
    } else if (message.event === 'file_end') {
      lines.push(`${lines.pop()}${bytes ? `: ${bytes}` : ''}${message.complete ? '' : ' (cut)'}`);
      bytes = '';
    } else if (message.event === 'left_out') lines.push(`- ${message.path} ${message.reason}`);
    else lines.push(`end ${message.entries}`);
  }
  return lines;
}

describe('archive', () => {
  beforeAll(async () => {
    for (const path of [
      'a.txt',
      'dist/app.js',
      'dist/deep/x.map',
      'node_modules/m/index.js',
      '.git/HEAD',
      'p/node_modules/q',
    ]) {
      await used.sandbox.write(`tree/${path}`, path.slice(0, 1));
    }
    await symlink('/etc', inside('tree/link'));
    spawnSync('mkfifo', [inside('tree/fifo')]);
    await mkdir(inside('tree/empty'));
    await chmod(inside('tree/a.txt'), 0o755);
  });

  it('streams all of a folder in order, symlinks as they are, without what is no file', async () => {
    expect(await archive([], [])).toEqual([
      'd .git',
      'f .git/HEAD: .',
      'f a.txt: a',
      'd dist',
      'f dist/app.js: d',
      'd dist/deep',
      'f dist/deep/x.map: d',
      'd empty',
      '- fifo special_file',
      's link -> /etc',
      'd node_modules',
      'd node_modules/m',
      'f node_modules/m/index.js: n',
      'd p',
      'd p/node_modules',
      'f p/node_modules/q: p',
      'end 15',
    ]);
  });

  it.each([
    ['**/node_modules/**', '.git'],
    ['**/node_modules', '.git/'],
    ['./node_modules/', '{.git,p/node_modules}'],
  ])('does not enter what %s and %s exclude', async (...exclude) => {
    const lines = await archive(['**'], [...exclude, 'fifo', 'dist/**']);
    const all = lines.join('\n');
    expect(all).toContain('- .git excluded');
    expect(all).toContain('- node_modules excluded');
    expect(all).not.toContain('node_modules/m');
    expect(all).not.toContain('.git/HEAD');
  });

  it('takes what is included, a folder with all that is in it', async () => {
    const kept = (lines: string[]) =>
      lines.filter((line) => /^[df]/.test(line)).map((line) => line.slice(2).split(':')[0]);
    expect(kept(await archive(['dist'], []))).toEqual([
      'dist',
      'dist/app.js',
      'dist/deep',
      'dist/deep/x.map',
    ]);
    expect(kept(await archive(['**/*.js'], ['node_modules']))).toEqual(['dist/app.js']);
    expect(await archive(['a.txt'], ['*/**', '.*'])).toContain('- link not_included');
  });

  it('leaves out what changes under it or cannot be read', async () => {
    await used.sandbox.write('changing/big', Buffer.alloc(20_000_000, 'x'));
    await used.sandbox.write('changing/small', 'x');
    const ends: boolean[] = [];
    let cut = false;
    for await (const message of used.sandbox.archive({ root: 'changing', include: [], exclude: [] })) {
      if (Buffer.isBuffer(message) && !cut) {
        cut = true;
        await truncate(inside('changing/big'), 5_000_000);
      }
      if (!Buffer.isBuffer(message) && message.event === 'file_end') ends.push(message.complete);
    }
    expect(ends).toEqual([false, true]);
  });

  it('does not grow with a file that grows', async () => {
    await used.sandbox.write('growing/log', 'x');
    const grower = await used.sandbox.spawn({
      shell: 'while :; do head -c 100000 /dev/zero >>growing/log; done',
    });
    try {
      await vi.waitFor(async () =>
        expect((await used.sandbox.stat('growing/log')).size).toBeGreaterThan(1_000_000),
      );
      let size = -1;
      let bytes = 0;
      for await (const message of used.sandbox.archive({ root: 'growing', include: [], exclude: [] })) {
        if (Buffer.isBuffer(message)) bytes += message.length;
        else if (message.event === 'entry') size = message.size;
      }
      expect(bytes).toBe(size);
    } finally {
      await used.sandbox.signal(grower.id, 'SIGKILL');
    }
  });

  it('carries names of any kind, and says which it cannot', async () => {
    await mkdir(inside('names'));
    await writeFile(inside('names/ü\n"\\'), 'u');
    await writeFile(Buffer.concat([Buffer.from(inside('names/')), Buffer.from([0xff])]), 'x');
    expect(await archive([], [], 'names')).toEqual(['f ü\n"\\: u', '- \ufffd unreadable', 'end 1']);
  });

  it('fails for what is no folder, and for globs that are none', async () => {
    await expect(archive([], [], 'nothing')).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await expect(archive([], [], 'tree/a.txt')).rejects.toMatchObject({ code: 'NOT_A_DIRECTORY' });
    await expect(archive(['x'.repeat(70_000)], [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('streams thousands of files', async () => {
    await used.sandbox.exec({ shell: 'mkdir lots; cd lots; for i in $(seq 5000); do echo $i >$i; done' });
    const lines = await archive([], [], 'lots');
    expect(lines).toHaveLength(5_001);
    expect(lines).toContain('f 4321: 4321\n');
  });
});
