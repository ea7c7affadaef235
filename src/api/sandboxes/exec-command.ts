import { CodedError, toErrorInfo } from '../../protocol/errors.ts';
import type { ExecLine, ExecRequest, ExecResult } from '../../protocol/sandbox-api.ts';
import type { Sandbox, ExecRequest as SandboxExec } from '../../sandbox/sandbox.ts';

const DEFAULT_TIMEOUT_S = 600;
const MAX_RESULT_CHARS = 1024 * 1024;

type Stream = 'stdout' | 'stderr';

function asExec({ command, argv, cwd, env, stdin, timeout_s = DEFAULT_TIMEOUT_S }: ExecRequest): SandboxExec {
  return {
    ...(argv ? { argv } : { shell: command ?? '' }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    ...(stdin !== undefined && { stdin: Buffer.from(stdin) }),
    timeoutMs: timeout_s * 1_000,
  };
}

/** Runs a command to its end and gives what it printed, as far as that is kept. Throws as the sandbox does. */
export async function runToEnd(
  sandbox: Sandbox,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecResult> {
  const texts: Record<Stream, string> = { stdout: '', stderr: '' };
  let truncated = false;
  const decode = decoders((stream, text) => {
    const room = MAX_RESULT_CHARS - texts[stream].length;
    texts[stream] += text.slice(0, room);
    truncated ||= text.length > room;
  });
  const ended = await sandbox.exec(asExec(request), { signal, onOutput: decode.take });
  decode.end();
  const { event: _event, ...result } = ended;
  return { ...result, ...texts, truncated };
}

/**
 * Runs a command and gives what it prints as lines, as it comes and at the pace at which they are taken; last how it
 * ended, or why it could not be run. To stop taking them is to end the command.
 */
export async function* streamLines(
  sandbox: Sandbox,
  request: ExecRequest,
  signal: AbortSignal,
): AsyncGenerator<ExecLine> {
  const stopping = new AbortController();
  const lines: ExecLine[] = [];
  let more = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const add = (line: ExecLine): void => {
    lines.push(line);
    more.resolve();
  };
  const decode = decoders((stream, text) => add({ type: stream, text }));
  const options = {
    signal: AbortSignal.any([signal, stopping.signal]),
    onOutput: async (stream: Stream, bytes: Buffer) => {
      decode.take(stream, bytes);
      await taken.promise;
    },
  };
  const run = sandbox.exec(asExec(request), options).then(
    ({ event: _event, ...ended }) => {
      decode.end();
      add({ type: 'ended', ...ended });
    },
    (error: unknown) => add({ type: 'failed', error: toErrorInfo(asCoded(error)) }),
  );
  try {
    for (;;) {
      await more.promise;
      more = Promise.withResolvers();
      for (let line = lines.shift(); line; line = lines.shift()) {
        yield line;
        if (line.type === 'ended' || line.type === 'failed') return;
      }
      taken.resolve();
      taken = Promise.withResolvers();
    }
  } finally {
    stopping.abort(new CodedError('CONNECTION_LOST', 'the client has gone'));
    taken.resolve();
    await run;
  }
}

/** The two streams of a command as text: a character that comes in two pieces is not torn apart. */
function decoders(told: (stream: Stream, text: string) => void) {
  const decoder = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const tell = (stream: Stream, text: string): void => {
    if (text !== '') told(stream, text);
  };
  return {
    take: (stream: Stream, bytes: Buffer): void =>
      tell(stream, decoder[stream].decode(bytes, { stream: true })),
    end(): void {
      for (const stream of ['stdout', 'stderr'] as const) tell(stream, decoder[stream].decode());
    },
  };
}

/** Only codes of ours, and no words of a fault of the server's own. */
const asCoded = (error: unknown): CodedError =>
  error instanceof CodedError ? error : new CodedError('INTERNAL', 'the server met a fault of its own');
