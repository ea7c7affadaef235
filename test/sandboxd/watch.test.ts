import { execFile } from 'node:child_process';
import { appendFile, mkdir, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WatchMessage } from '../../src/protocol/watch.ts';
import { useSandbox } from './support.ts';

const used = useSandbox();
const inside = (path: string): string => join(used.local.workspace, path);

interface Watched {
  /** What has been told since the last time, as words. */
  take(): string[];
  /** Waits until that has been told, in any order. */
  tells(...changes: string[]): Promise<void>;
  ended: Promise<unknown>;
  stop(): void;
}

/** Watches a folder of its own. */
async function watch(
  folder: string,
  options: { recursive?: boolean; exclude?: string[] } = {},
): Promise<Watched> {
  await mkdir(inside(folder), { recursive: true });
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort(new Error('over')));
  let told: string[] = [];
  const words = (message: WatchMessage): string[] =>
    message.event === 'changes'
      ? message.changes.map(
          ({ kind, path, type }) => `${kind} ${type} ${path.slice(inside(folder).length + 1)}`,
        )
      : [message.event];
  const ready = Promise.withResolvers<void>();
  const ended = (async () => {
    for await (const message of used.sandbox.watch(folder, { ...options, signal: leaving.signal })) {
      if (message.event === 'watching') ready.resolve();
      else told.push(...words(message));
    }
  })().catch((error: unknown) => {
    ready.reject(error);
    return error;
  });
  await ready.promise;
  const take = () => {
    const taken = told;
    told = [];
    return taken;
  };
  return {
    take,
    async tells(...changes) {
      await vi.waitFor(() => expect([...told].sort()).toEqual([...changes].sort()), 5_000);
      take();
    },
    ended,
    stop: () => leaving.abort(new Error('over')),
  };
}

describe('a watch', () => {
  it('tells what is created, modified, replaced, moved and removed', async () => {
    const watched = await watch('plain');
    await writeFile(inside('plain/a'), 'one');
    await watched.tells('created file a');
    await appendFile(inside('plain/a'), 'two');
    await watched.tells('modified file a');
    await used.sandbox.write('plain/a', 'written whole, beside it first');
    await watched.tells('modified file a');
    await rename(inside('plain/a'), inside('plain/b'));
    await watched.tells('removed file a', 'created file b');
    await symlink('/etc', inside('plain/link'));
    await watched.tells('created symlink link');
    await rm(inside('plain/b'));
    await mkdir(inside('plain/b'));
    await watched.tells('removed file b', 'created directory b');
    await rmdir(inside('plain/b'));
    await watched.tells('removed directory b');
  });

  it('knows folders that come, go, are moved and are replaced', async () => {
    const watched = await watch('tree');
    await mkdir(inside('tree/x/y'), { recursive: true });
    await writeFile(inside('tree/x/y/f'), '');
    await watched.tells('created directory x', 'created directory x/y', 'created file x/y/f');
    await rename(inside('tree/x'), inside('tree/z'));
    await watched.tells(
      ...['removed directory x', 'created directory z', 'created directory z/y', 'created file z/y/f'],
    );
    await appendFile(inside('tree/z/y/f'), 'more');
    await watched.tells('modified file z/y/f');
    // Within one look: it is another folder.
    await rename(inside('tree/z'), join(used.local.folder, 'away'));
    await mkdir(inside('tree/z'));
    await watched.tells('removed directory z', 'created directory z');
    await writeFile(inside('tree/z/new'), '');
    await watched.tells('created file z/new');
    await appendFile(join(used.local.folder, 'away/y/f'), 'unseen');
    await rm(inside('tree/z'), { recursive: true });
    await watched.tells('removed file z/new', 'removed directory z');
  });

  it('looks at nothing that is excluded, and at one folder alone when told so', async () => {
    const watched = await watch('some', { exclude: ['**/node_modules/**', '*.log'] });
    const flat = await watch('some', { recursive: false });
    await mkdir(inside('some/node_modules/p'), { recursive: true });
    await mkdir(inside('some/src/node_modules/q'), { recursive: true });
    await writeFile(inside('some/a.log'), '');
    await writeFile(inside('some/end'), '');
    await watched.tells('created directory src', 'created file end');
    await flat.tells(
      ...[
        'created directory node_modules',
        'created directory src',
        'created file a.log',
        'created file end',
      ],
    );
  });

  it('says that there was too much, also for the kernel, and goes on', async () => {
    const watched = await watch('much');
    // While it stands still, the kernel's own queue runs over.
    process.kill(used.local.pid, 'SIGSTOP');
    try {
      const touch = 'for i in $(seq 20000); do echo f$i; done | xargs touch';
      await promisify(execFile)('bash', ['-c', touch], { cwd: inside('much') });
    } finally {
      process.kill(used.local.pid, 'SIGCONT');
    }
    await watched.tells('overflow');
    await appendFile(inside('much/f1'), 'changed');
    await watched.tells('modified file f1');
  });

  it('ends with a word when its folder goes, and is refused for one that is not there', async () => {
    const watched = await watch('going');
    await rm(inside('going'), { recursive: true });
    expect(await watched.ended).toMatchObject({ code: 'PATH_NOT_FOUND' });
    const refused = used.sandbox.watch('never')[Symbol.asyncIterator]().next();
    await expect(refused).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await writeFile(inside('file'), '');
    const file = used.sandbox.watch('file')[Symbol.asyncIterator]().next();
    await expect(file).rejects.toMatchObject({ code: 'NOT_A_DIRECTORY' });
  });

  it('holds so many at a time; who goes makes room', async () => {
    const all: Watched[] = [];
    const most = async () => {
      for (let i = 0; i < 20; i += 1) all.push(await watch('shared'));
    };
    await expect(most()).rejects.toMatchObject({ code: 'WATCH_TOO_LARGE' });
    for (const { stop } of all) stop();
    await vi.waitFor(async () => void (await watch('shared')), 5_000);
  });

  it('refuses a tree that is too large', async () => {
    await used.sandbox.exec({ argv: ['bash', '-c', 'mkdir -p huge && cd huge && mkdir {1..4100}'] });
    await expect(watch('huge')).rejects.toMatchObject({ code: 'WATCH_TOO_LARGE' });
  }, 60_000);
});
