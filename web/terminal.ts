import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { address, findTicket, pageId } from './access.ts';
import { keepConnected } from './reconnect.ts';
import { showStatus } from './status.ts';

/** Why a connection ended for good: its program is over, or it is refused. */
const FINAL_CODES = new Set([1000, 4000]);

const name = new URLSearchParams(location.search).get('name') ?? 'main';
const terminal = new Terminal({
  cursorBlink: true,
  fontFamily: 'ui-monospace, "DejaVu Sans Mono", monospace',
  fontSize: 14,
  scrollback: 10_000,
  theme: { background: '#16181b', foreground: '#e6e7e9' },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
const screen = document.querySelector<HTMLElement>('#screen');
if (screen) terminal.open(screen);
fit.fit();
document.title = `${name} · terminal`;

async function connect(): Promise<boolean> {
  showStatus('busy', 'Connecting');
  const ticket = await findTicket('terminal');
  const url = address(`/terminal/${pageId()}`, 'ws');
  url.searchParams.set('name', name);
  url.searchParams.set('rows', `${terminal.rows}`);
  url.searchParams.set('columns', `${terminal.cols}`);
  if (ticket !== null) url.searchParams.set('ticket', ticket);
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const encoder = new TextEncoder();
  const typing = [
    terminal.onData((text) => socket.readyState === WebSocket.OPEN && socket.send(encoder.encode(text))),
    terminal.onBinary(
      (text) =>
        socket.readyState === WebSocket.OPEN && socket.send(Uint8Array.from(text, (c) => c.charCodeAt(0))),
    ),
    terminal.onResize(
      ({ rows, cols }) =>
        socket.readyState === WebSocket.OPEN &&
        socket.send(JSON.stringify({ type: 'resize', rows, columns: cols })),
    ),
  ];
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') hear(JSON.parse(data));
      else terminal.write(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => {
      for (const listener of typing) listener.dispose();
      showStatus('bad', reason || 'The connection is closed');
      resolve(FINAL_CODES.has(code));
    };
  });
}

function hear(message: { type: string; exit_code?: number | null; signal?: string | null }): void {
  if (message.type === 'opened') {
    // What it has shown lately comes again.
    terminal.reset();
    terminal.focus();
    showStatus('good', 'Connected');
  } else if (message.type === 'ended') {
    terminal.write(`\r\n\x1b[2m[ended with ${message.signal ?? message.exit_code}]\x1b[0m\r\n`);
  }
}

new ResizeObserver(() => fit.fit()).observe(document.body);
keepConnected(connect, (ms) => showStatus('busy', `Cut off; again in ${Math.ceil(ms / 1_000)} s`)).catch(
  (error: Error) => showStatus('bad', error.message),
);
