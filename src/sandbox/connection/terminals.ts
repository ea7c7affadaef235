import { Nothing } from '../../protocol/sandboxd.ts';
import { TERMINAL_CALLS, TerminalEnded, TerminalList, TerminalOpened } from '../../protocol/terminal.ts';
import type { CallOptions } from '../sandbox.ts';
import type { OpenedTerminal, OpenTerminal, Terminals } from '../terminals.ts';
import { callForOne, parseFrame } from './answer.ts';
import { openCallStream } from './call-stream.ts';
import type { Link } from './link.ts';

/** The terminals of a sandbox. */
export function terminalsOf(link: Link): Terminals {
  async function call(path: string, args: object, { signal }: CallOptions = {}): Promise<void> {
    await callForOne(await link.session(signal), { path, args, signal }, Nothing);
  }
  return {
    open: (terminal, options) => open(link, terminal, options),
    resize: (name, { rows, columns }, options) =>
      call(TERMINAL_CALLS.resize, { name, rows, columns }, options),
    close: (name, options) => call(TERMINAL_CALLS.close, { name }, options),
    async list({ signal } = {}) {
      const request = { path: TERMINAL_CALLS.list, args: {}, signal };
      return (await callForOne(await link.session(signal), request, TerminalList)).terminals;
    },
  };
}

async function open(
  link: Link,
  terminal: OpenTerminal,
  { signal }: CallOptions = {},
): Promise<OpenedTerminal> {
  const { promise: ended, resolve } = Promise.withResolvers<TerminalEnded | null>();
  const { first, stream } = await openCallStream(await link.session(signal), {
    path: TERMINAL_CALLS.open,
    args: terminal,
    first: TerminalOpened,
    onMessage(frame, end) {
      resolve(parseFrame(TerminalEnded, frame));
      end();
    },
    signal,
  });
  stream.once('close', () => resolve(null));
  return { name: first.name, joined: first.joined, stream, ended };
}
