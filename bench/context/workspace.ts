import { Readable } from 'node:stream';
import { CodedError } from '../../src/protocol/errors.ts';
import type { FileInfo } from '../../src/protocol/sandboxd.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import type { World } from './world.ts';

const COMMAND = /^\.\/(work|question)\.sh (\d+)$/;

/**
 * The made-up world as a sandbox: the part of one that the tools of this bench call. A container would add nothing but
 * time: what is measured begins with a result's text.
 */
export function workspace(world: World): Sandbox {
  const files = new Map<string, string>();
  const info = (path: string, text: string): FileInfo => ({
    path,
    type: 'file',
    size: Buffer.byteLength(text),
    mode: 0o644,
    modified: new Date(0).toISOString(),
    target: null,
  });
  const textOf = (path: string): string => {
    const part = /^src\/part-(\d+)\//.exec(path)?.[1];
    const text = part === undefined ? files.get(path) : world.work(Number(part)).output;
    if (text === undefined) throw new CodedError('PATH_NOT_FOUND', `There is no ${path}.`);
    return text;
  };
  const used: Pick<Sandbox, 'shell' | 'read' | 'write' | 'stat'> = {
    async shell({ command }, options) {
      const [, script, number] = COMMAND.exec(command) ?? [];
      const work = script === 'work' ? world.work(Number(number)) : null;
      const output = work ? work.output : world.askedFor(Number(number));
      await options?.onOutput?.('stdout', Buffer.from(`${output}\n`));
      return {
        event: 'ended',
        exit_code: work?.exitCode ?? 0,
        signal: null,
        timed_out: false,
        oom_killed: false,
        duration_ms: 0,
        cwd: '/workspace',
        restarted: false,
      };
    },
    async read(path) {
      const text = textOf(path);
      return { info: info(path, text), bytes: Readable.from([Buffer.from(text)]) };
    },
    async write(path, bytes) {
      if (typeof bytes !== 'string') throw new Error('expected text');
      files.set(path, bytes);
      return info(path, bytes);
    },
    stat: async (path) => info(path, textOf(path)),
  };
  return used as Sandbox;
}
