import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { CodedError } from '../../src/protocol/errors.ts';
import { type FileChange, type FileWatch, MAX_CHANGES } from '../../src/protocol/watch.ts';
import { select } from '../archive/selection.ts';
import type { Daemon } from '../daemon.ts';
import type { Call } from '../serve/call.ts';
import { withErrno } from '../serve/errno.ts';
import { WatchedTree } from './watched-tree.ts';

/** Changes of one place within this time are told as one. */
const SETTLE_MS = 20;
/** Places that wait to be looked at. */
const MAX_PLACES = 4_096;
/** What is told in one go: below the kernel's own queue (16,384), so that one that ran over is seen here. */
const MAX_TOUCHES = 8_000;
const MAX_WATCHES = 8;

let watches = 0;

/** Tells what changes below a folder, from now on until the caller goes. */
export async function watchFiles(args: z.infer<typeof FileWatch>, call: Call, daemon: Daemon): Promise<void> {
  if (watches >= MAX_WATCHES) {
    throw new CodedError('WATCH_TOO_LARGE', `There are ${MAX_WATCHES} watches, the most there may be.`);
  }
  const root = resolve(daemon.workspace, args.path);
  const touched = new Touched();
  const tree = new WatchedTree(root, {
    recursive: args.recursive,
    excluded: select([], args.exclude).excluded,
    onTouched: (folder, name) => touched.add(folder, name),
  });
  const stop = (): void => touched.wake();
  call.signal.addEventListener('abort', stop, { once: true });
  watches += 1;
  try {
    await withErrno(root, () => tree.open());
    await call.json({ event: 'watching' });
    while (!call.signal.aborted) {
      await touched.any;
      await delay(SETTLE_MS);
      await tell(touched, tree, root, call);
    }
  } finally {
    watches -= 1;
    call.signal.removeEventListener('abort', stop);
    tree.close();
  }
}

async function tell(touched: Touched, tree: WatchedTree, root: string, call: Call): Promise<void> {
  const places = touched.take();
  if (!places) {
    await withErrno(root, () => tree.open());
    await call.json({ event: 'overflow' });
    return;
  }
  let changes: FileChange[] = [];
  const send = async (most: number): Promise<void> => {
    while (changes.length > most) {
      await call.json({ event: 'changes', changes: changes.slice(0, MAX_CHANGES) });
      changes = changes.slice(MAX_CHANGES);
    }
  };
  for (const [folder, name] of places) {
    if (call.signal.aborted) return;
    if (tree.isRoot(folder, name)) await withErrno(root, () => lstat(root));
    changes.push(...(await withErrno(root, () => tree.look(folder, name))));
    await send(MAX_CHANGES);
  }
  await send(0);
}

/** The places where something happened and that nobody has looked at yet, or word that there are too many. */
class Touched {
  #places = new Map<string, [folder: string, name: string]>();
  #touches = 0;
  #tooMany = false;
  #any = Promise.withResolvers<void>();

  /** Resolves when there is something to look at. */
  get any(): Promise<void> {
    return this.#any.promise;
  }

  wake(): void {
    this.#any.resolve();
  }

  add(folder: string, name: string): void {
    this.#touches += 1;
    this.#tooMany ||= this.#touches > MAX_TOUCHES || this.#places.size >= MAX_PLACES;
    if (this.#tooMany) this.#places.clear();
    else this.#places.set(join(folder, name), [folder, name]);
    this.wake();
  }

  /** Those since the last time; null when there were too many. */
  take(): [folder: string, name: string][] | null {
    const places = this.#tooMany ? null : [...this.#places.values()];
    this.#places = new Map();
    this.#touches = 0;
    this.#tooMany = false;
    this.#any = Promise.withResolvers();
    return places;
  }
}
