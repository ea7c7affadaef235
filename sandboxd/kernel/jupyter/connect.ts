import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../../src/protocol/ids.ts';
import type { KernelException } from '../../../src/protocol/kernel.ts';
import type { KernelSink } from '../kernel.ts';
import {
  asTexts,
  DisplayContent,
  isStream,
  type JupyterMessage,
  parseMessage,
  ReplyContent,
  request,
  StatusContent,
  StreamContent,
} from './message.ts';
import { connectZmtp, type ZmtpMessage } from './zmtp.ts';

const POLL_MS = 5;
/** What was published before the subscription took effect is lost: then the question is put again. */
const NUDGE_MS = 100;

type Zmtp = Awaited<ReturnType<typeof connectZmtp>>;

interface Execution {
  id: string;
  sink: KernelSink;
  idle: boolean;
  /** Null until the reply has come. */
  reply: { exception: KernelException | null } | null;
  done: (exception: KernelException | null) => void;
}

/** The sockets of a kernel, by their endings in its connection file. */
export const CHANNELS = { shell: 1, iopub: 2, stdin: 3, control: 4, hb: 5 } as const;

/** A conversation with a started Jupyter kernel. */
export class JupyterClient {
  readonly #session = newId();
  readonly #late: KernelSink;
  #shell: Zmtp | null = null;
  #control: Zmtp | null = null;
  #iopub: Zmtp | null = null;
  #running: Execution | null = null;
  #heard: (() => void) | null = null;

  /** @param late takes what is published while nothing runs */
  constructor(late: KernelSink) {
    this.#late = late;
  }

  /** Waits until the kernel has opened its sockets and answers on them. */
  async open(path: string, signal: AbortSignal): Promise<void> {
    const connect = async (
      channel: keyof typeof CHANNELS,
      pattern: 'DEALER' | 'SUB',
      on: (m: ZmtpMessage) => void,
    ) => {
      const file = `${path}-${CHANNELS[channel]}`;
      while (!existsSync(file)) await delay(POLL_MS, undefined, { signal });
      for (;;) {
        signal.throwIfAborted();
        try {
          return await connectZmtp(file, pattern, on);
        } catch {
          await delay(POLL_MS, undefined, { signal });
        }
      }
    };
    [this.#iopub, this.#shell, this.#control] = await Promise.all([
      connect('iopub', 'SUB', (message) => this.#published(message)),
      connect('shell', 'DEALER', ({ frames }) => this.#replied(parseMessage(frames))),
      connect('control', 'DEALER', () => {}),
    ]);
    const heard = new Promise<void>((resolve) => {
      this.#heard = resolve;
    });
    for (let over = false; !over; ) {
      signal.throwIfAborted();
      this.#shell.send(request(this.#session, 'kernel_info_request', {}).frames);
      over = await Promise.race([heard.then(() => true), delay(NUDGE_MS, false)]);
    }
  }

  execute(code: string, sink: KernelSink): Promise<KernelException | null> {
    const { id, frames } = request(this.#session, 'execute_request', {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    });
    return new Promise((resolve) => {
      this.#running = { id, sink, idle: false, reply: null, done: resolve };
      this.#shell?.send(frames);
    });
  }

  /** For a kernel that takes its interrupts as messages. */
  interrupt(): void {
    this.#control?.send(request(this.#session, 'interrupt_request', {}).frames);
  }

  close(): void {
    for (const socket of [this.#shell, this.#control, this.#iopub]) socket?.close();
  }

  #replied(message: JupyterMessage | null): void {
    const running = this.#running;
    if (!running || message?.type !== 'execute_reply' || message.parent !== running.id) return;
    const reply = ReplyContent.safeParse(message.content);
    const { status, ename, evalue, traceback } = reply.data ?? {
      status: 'aborted',
      ename: '',
      evalue: '',
      traceback: [],
    };
    const exception =
      status === 'ok' ? null : { name: ename || 'Aborted', message: evalue, traceback: traceback.join('\n') };
    running.reply = { exception };
    this.#settle(running);
  }

  #published({ frames, skipped }: ZmtpMessage): void {
    const running = this.#running;
    const sink = running?.sink ?? this.#late;
    if (skipped > 0) sink.dropped(skipped);
    if (sink.full && isStream(frames)) {
      sink.dropped(frames.at(-1)?.length ?? 0);
      return;
    }
    const message = parseMessage(frames);
    if (!message) return;
    if (message.type === 'status') {
      const idle = StatusContent.safeParse(message.content).data?.execution_state === 'idle';
      if (idle) this.#heard?.();
      if (!idle || message.parent !== running?.id || !running) return;
      running.idle = true;
      this.#settle(running);
    } else publish(message, sink);
  }

  /** The reply and the last of the output come over different sockets, in any order. */
  #settle(running: Execution): void {
    if (!running.idle || !running.reply) return;
    this.#running = null;
    running.done(running.reply.exception);
  }
}

function publish({ type, content }: JupyterMessage, sink: KernelSink): void {
  if (type === 'stream') {
    const stream = StreamContent.safeParse(content).data;
    if (stream) sink.stream(stream.name, Buffer.from(stream.text));
  }
  const kind = KINDS[type];
  const display = kind && DisplayContent.safeParse(content).data;
  if (kind && display) sink.display(kind, asTexts(display.data));
}

const KINDS: Record<string, 'result' | 'display' | 'update'> = {
  execute_result: 'result',
  display_data: 'display',
  update_display_data: 'update',
};
