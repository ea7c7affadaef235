import type { z } from 'zod';
import { FRAME } from '../../protocol/frames.ts';
import {
  CALLS,
  Nothing,
  ProcessAttached,
  type ProcessEnded,
  ProcessList,
  ProcessMessage,
  ProcessSignal,
  ProcessStarted,
  ShellMessage,
} from '../../protocol/sandboxd.ts';
import type { ExecRequest, OutputOptions, Sandbox } from '../sandbox.ts';
import type { Caller } from './connect-sandbox.ts';
import { onlyMessage, parseMessage, unexpected } from './messages.ts';

type Methods = Pick<Sandbox, 'exec' | 'spawn' | 'attach' | 'processes' | 'signal' | 'input' | 'shell'>;

export function processMethods(call: Caller): Methods {
  /** Hands on the output and gives the last message. */
  async function stream<T extends z.ZodType>(
    schema: T,
    path: string,
    args: unknown,
    { onOutput, signal }: OutputOptions,
    input?: ExecRequest['stdin'],
  ): Promise<z.infer<T>> {
    let last: { message: z.infer<T> } | undefined;
    for await (const frame of call({ path, args, signal, input })) {
      if (frame.kind === FRAME.json) last = { message: parseMessage(schema, frame) };
      else await onOutput?.(frame.kind === FRAME.data ? 'stdout' : 'stderr', frame.payload);
    }
    if (!last) throw unexpected();
    return last.message;
  }

  return {
    async exec({ stdin, ...request }, options = {}) {
      const args = { ...startArguments(request), stdin: stdin !== undefined };
      const end: ProcessEnded | z.infer<typeof ProcessStarted> = await stream(
        ProcessMessage,
        CALLS.processStart,
        args,
        options,
        stdin,
      );
      if (end.event !== 'ended') throw unexpected();
      return end;
    },
    async spawn(request, { signal } = {}) {
      const args = { ...startArguments(request), background: true, stdin: true };
      const { id, pid } = await onlyMessage(ProcessStarted, call({ path: CALLS.processStart, args, signal }));
      return { id, pid };
    },
    async attach({ id, stdoutFrom = 0, stderrFrom = 0, follow = false }, options = {}) {
      const args = { id, stdout_from: stdoutFrom, stderr_from: stderrFrom, follow };
      const end = await stream(ProcessAttached, CALLS.processAttach, args, options);
      return { info: end.info, stdoutAt: end.stdout_at, stderrAt: end.stderr_at };
    },
    async processes({ signal } = {}) {
      return (await onlyMessage(ProcessList, call({ path: CALLS.processList, args: {}, signal }))).processes;
    },
    async signal(id, name, { signal } = {}) {
      const args: z.input<typeof ProcessSignal> = ProcessSignal.parse({ id, signal: name });
      await onlyMessage(Nothing, call({ path: CALLS.processSignal, args, signal }));
    },
    async input({ id, bytes = Buffer.alloc(0), end = false }, { signal } = {}) {
      await onlyMessage(Nothing, call({ path: CALLS.processInput, args: { id, end }, input: bytes, signal }));
    },
    async shell({ command, session, timeoutMs, env }, options = {}) {
      const args = { command, session, timeout_ms: timeoutMs, env };
      const end = await stream(ShellMessage, CALLS.shellRun, args, options);
      if (end.event !== 'ended') throw unexpected();
      return end;
    },
  };
}

const startArguments = ({ timeoutMs, ...rest }: Omit<ExecRequest, 'stdin'>) => ({
  ...rest,
  timeout_ms: timeoutMs,
});
