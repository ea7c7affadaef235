import { FRAME } from '../../protocol/frames.ts';
import { KERNEL_CALLS, type KernelEnded, KernelList, KernelMessage } from '../../protocol/kernel.ts';
import { Nothing } from '../../protocol/sandboxd.ts';
import type { KernelOptions, KernelRequest, Kernels } from '../kernels.ts';
import type { CallOptions } from '../sandbox.ts';
import { callForOne, parseFrame, unexpected } from './answer.ts';
import { callFrames } from './call.ts';
import type { Link } from './link.ts';

/** The kernels of the sandbox at the other end. */
export function kernels(link: Link): Kernels {
  const named =
    (path: string) =>
    async (name: string, { signal }: CallOptions = {}): Promise<void> => {
      await callForOne(await link.session(signal), { path, args: { name }, signal }, Nothing);
    };
  return {
    run: (request, options) => run(link, request, options),
    interrupt: named(KERNEL_CALLS.interrupt),
    restart: named(KERNEL_CALLS.restart),
    stop: named(KERNEL_CALLS.stop),
    list: async ({ signal } = {}) =>
      callForOne(await link.session(signal), { path: KERNEL_CALLS.list, args: {}, signal }, KernelList),
  };
}

async function run(
  link: Link,
  { code, spec, name, timeoutMs, env }: KernelRequest,
  { signal, onOutput, onDisplay }: KernelOptions = {},
): Promise<KernelEnded> {
  const args = {
    code,
    spec,
    name,
    env,
    ...(timeoutMs !== undefined && { timeout_ms: Math.ceil(timeoutMs) }),
  };
  const session = await link.session(signal);
  let ended: KernelEnded | null = null;
  for await (const frame of callFrames(session, { path: KERNEL_CALLS.run, args, signal })) {
    if (frame.kind !== FRAME.json) {
      await onOutput?.(frame.kind === FRAME.data ? 'stdout' : 'stderr', frame.payload);
      continue;
    }
    const message = parseFrame(KernelMessage, frame);
    if (message.event === 'display') await onDisplay?.(message);
    if (message.event === 'ended') ended = message;
  }
  if (!ended) throw unexpected('no end of the code');
  return ended;
}
