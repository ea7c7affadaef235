import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { controlUntil } from '../../store/desktop-control.ts';
import { liveSandbox } from '../live/live-sandbox.ts';
import { signalOfSocket } from '../live/socket-signal.ts';
import { acceptWebSocket, joinWebSocket } from '../live/websocket.ts';
import type { Api } from '../options.ts';
import { RfbFilter } from './rfb-filter.ts';

const START_MS = 60_000;
/** At each event of the job, of which there may be many, but not more often than this. */
const LOOK_EVERY_MS = 200;
/** Its client connects again, to watch. */
const CONTROL_ENDED = 4_001;

/**
 * Shows the desktop of a job's live sandbox over a WebSocket: RFB in binary messages. What acts on the desktop goes
 * through only while `?control=` is the token of who has control; when it ends, so does the connection.
 */
export async function serveDesktop(
  api: Api,
  id: string,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const token = new URL(request.url ?? '', 'http://server').searchParams.get('control');
  const sandbox = await liveSandbox(api, id, signalOfSocket(socket));
  const [stream, until] = await Promise.all([
    sandbox.desktop.vnc({ signal: AbortSignal.timeout(START_MS) }),
    token === null ? null : controlUntil(api.store, id, token),
  ]);
  stream.on('error', () => {});
  const webSocket = await acceptWebSocket(request, socket, head, stream);
  const control = new Control(api, id, token ?? '', until, () =>
    webSocket.close(CONTROL_ENDED, 'Control has ended'),
  );
  webSocket.once('close', () => control.stop());
  const filter = new RfbFilter(() => control.held);
  joinWebSocket(webSocket, stream, {
    onText: () => webSocket.close(1003, 'Expected RFB in binary messages'),
    pass: (bytes) => filter.take(bytes),
  });
  // Asked for and not given, or gone since: said at once, so that nobody believes to have it.
  if (token !== null && until === null) webSocket.close(CONTROL_ENDED, 'Control has ended');
}

/** Whether a connection has control: known here at any moment, and looked up again whenever that may have changed. */
class Control {
  #until: Date | null;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  readonly #unsubscribe: () => void;

  constructor(api: Api, id: string, token: string, until: Date | null, onEnd: () => void) {
    this.#until = until;
    if (until === null) {
      this.#unsubscribe = () => {};
      return;
    }
    const look = (): void => {
      clearTimeout(this.#timer);
      controlUntil(api.store, id, token).then(
        (still) => {
          // Stopped meanwhile.
          if (this.#until === null) return;
          this.#until = still;
          if (still) this.#timer = setTimeout(look, still.getTime() - Date.now());
          else onEnd();
        },
        // It ends by the time that is known, whether or not the store answers.
        () => {
          if (this.held) this.#timer = setTimeout(look, 1_000);
          else if (this.#until !== null) onEnd();
        },
      );
    };
    const lookSoon = (): void => {
      if (this.#soon) return;
      this.#soon = setTimeout(() => {
        this.#soon = undefined;
        look();
      }, LOOK_EVERY_MS);
    };
    this.#unsubscribe = api.store.notifications.subscribe(id, lookSoon);
    this.#timer = setTimeout(look, until.getTime() - Date.now());
  }

  get held(): boolean {
    return this.#until !== null && this.#until.getTime() > Date.now();
  }

  stop(): void {
    this.#until = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    this.#unsubscribe();
  }
}
