import { type FSWatcher, watch } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { CodedError } from '../../src/protocol/errors.ts';
import type { FileInfo } from '../../src/protocol/sandboxd.ts';
import type { FileChange } from '../../src/protocol/watch.ts';
import { errno } from '../serve/errno.ts';
import { typeOf } from './info.ts';

/** What one watch may hold: a folder costs the kernel about 1 KB, a name sandboxd about 100 bytes. */
const MAX_FOLDERS = 4_096;
const MAX_NAMES = 50_000;

interface Folder {
  watcher: FSWatcher;
  inode: number;
  /** What is known to be in it, by name. */
  names: Map<string, FileInfo['type']>;
}

interface Options {
  recursive: boolean;
  excluded: (path: string) => boolean;
  /** Told where something may have changed, at once and as often as it happens. */
  onTouched: (folder: string, name: string) => void;
}

/**
 * The folders below a root with an inotify watch each, and the names in them: a touched name is created, modified or
 * removed by what was known of it. Symlinks are not followed.
 */
export class WatchedTree {
  readonly #root: string;
  readonly #options: Options;
  readonly #folders = new Map<string, Folder>();
  #names = 0;

  constructor(root: string, options: Options) {
    this.#root = root;
    this.#options = options;
  }

  /** Watches all of it anew. @throws what the file system does; CodedError WATCH_TOO_LARGE */
  async open(): Promise<void> {
    this.close();
    await this.#add(this.#root);
  }

  close(): void {
    for (const path of [...this.#folders.keys()]) this.#drop(path);
  }

  /** Whether this says that the root itself was touched: then the name is its own. */
  isRoot(folder: string, name: string): boolean {
    return folder === this.#root && name === basename(this.#root);
  }

  /** What has become of a name that was touched. Throws as {@link open} does. */
  async look(folder: string, name: string): Promise<FileChange[]> {
    const names = this.#folders.get(folder)?.names;
    const path = join(folder, name);
    if (!names || this.#isExcluded(path)) return [];
    const before = names.get(name);
    const stats = await lstat(path).catch(() => null);
    const type = stats ? typeOf(stats) : undefined;
    const isSame = type === before && (type !== 'directory' || this.#isKnown(path, stats?.ino));
    if (isSame) return type === undefined || type === 'directory' ? [] : [{ kind: 'modified', path, type }];
    const changes: FileChange[] = [];
    if (before !== undefined) {
      this.#forget(names, name, path);
      changes.push({ kind: 'removed', path, type: before });
    }
    if (type !== undefined) {
      this.#know(names, name, type);
      changes.push({ kind: 'created', path, type });
      if (type === 'directory' && this.#options.recursive) changes.push(...(await this.#addNew(path)));
    }
    return changes;
  }

  #isKnown(path: string, inode: number | undefined): boolean {
    return !this.#options.recursive || this.#folders.get(path)?.inode === inode;
  }

  /** A folder that may be gone again, or moved, before it is looked into. */
  async #addNew(path: string): Promise<FileChange[]> {
    try {
      return await this.#add(path);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      return [];
    }
  }

  /** Watches a folder and those in it; gives what is in them. */
  async #add(root: string): Promise<FileChange[]> {
    const found: FileChange[] = [];
    const open = [root];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      const names = await this.#watch(folder).catch((error: unknown) => {
        if (folder === root || error instanceof CodedError) throw error;
        return null;
      });
      if (!names) continue;
      for (const [name, type] of names) {
        const path = join(folder, name);
        found.push({ kind: 'created', path, type });
        if (type === 'directory' && this.#options.recursive) open.push(path);
      }
    }
    return found;
  }

  /** The names are read when changes are told already, so that none comes in between. */
  async #watch(path: string): Promise<Folder['names']> {
    if (this.#folders.size >= MAX_FOLDERS) throw tooLarge(`${MAX_FOLDERS} folders`);
    const names: Folder['names'] = new Map();
    const { ino } = await lstat(path);
    this.#folders.set(path, { watcher: this.#watcher(path), inode: ino, names });
    for await (const entry of await opendir(path)) {
      if (!this.#isExcluded(join(path, entry.name))) this.#know(names, entry.name, typeOf(entry));
    }
    return names;
  }

  #watcher(path: string): FSWatcher {
    const { onTouched } = this.#options;
    try {
      const watcher = watch(path, (_event, name) => {
        if (name !== null) onTouched(path, name);
      });
      // A folder that goes is told of by the one above it.
      watcher.on('error', () => {});
      return watcher;
    } catch (error) {
      if (errno(error) === 'ENOSPC' || errno(error) === 'EMFILE') throw tooLarge('what the kernel allows');
      throw error;
    }
  }

  #isExcluded(path: string): boolean {
    return this.#options.excluded(relative(this.#root, path));
  }

  #know(names: Folder['names'], name: string, type: FileInfo['type']): void {
    if (this.#names >= MAX_NAMES) throw tooLarge(`${MAX_NAMES} names`);
    this.#names += 1;
    names.set(name, type);
  }

  #forget(names: Folder['names'], name: string, path: string): void {
    if (names.delete(name)) this.#names -= 1;
    const below = `${path}/`;
    for (const folder of [...this.#folders.keys()])
      if (folder === path || folder.startsWith(below)) this.#drop(folder);
  }

  #drop(path: string): void {
    const folder = this.#folders.get(path);
    if (!folder) return;
    this.#folders.delete(path);
    this.#names -= folder.names.size;
    folder.watcher.close();
  }
}

const tooLarge = (limit: string): CodedError =>
  new CodedError('WATCH_TOO_LARGE', `Expected no more than ${limit} to watch; found more.`);
