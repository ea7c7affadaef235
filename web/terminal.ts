import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { address, findTicket, pageId } from './access.ts';
import { showNotice } from './notice.ts';
import { keepConnected } from './reconnect.ts';
import { showStatus } from './status.ts';

/** Why a connection ended for good: its program is over, or it is refused. */
const ENDED = 1000;
const FINAL_CODES = new Set([ENDED, 4000]);

const LIVE = new Set(['scheduled', 'running', 'waiting']);

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
  const over = ticket === null ? await whyOver() : null;
  if (over !== null) {
    showStatus('over', 'Over');
    showNotice(over);
    return true;
  }
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
      if (code === ENDED) showStatus('over', 'Over');
      else showStatus('bad', reason || 'The connection is closed');
      resolve(FINAL_CODES.has(code));
    };
  });
}

/** Why there is no terminal any more, where anybody may ask; null while there may be one. A browser is not told by the WebSocket. */
async function whyOver(): Promise<string | null> {
  const response = await fetch(address(`/status/${pageId()}`)).catch(() => null);
  if (response?.ok) {
    const { status } = (await response.json()) as { status: string };
    return LIVE.has(status) ? null : `The job has ended as ${status}; its sandbox is gone`;
  }
  return response?.status === 404 ? 'There is no such job' : null;
}

function hear(message: { type: string; exit_code?: number | null; signal?: string | null }): void {
  if (message.type === 'opened') {
    // What it has shown lately comes again.
    terminal.reset();
    terminal.focus();
    showStatus('good', 'Connected');
  } else if (message.type === 'ended') {
    const how = message.signal ?? `exit code ${message.exit_code}`;
    terminal.write(`\r\n\x1b[2m[ended with ${how}; reload the page for a new one]\x1b[0m\x1b[?25l\r\n`);
  }
}

new ResizeObserver(() => fit.fit()).observe(document.body);
keepConnected(connect, (ms) => showStatus('busy', `Cut off; again in ${Math.ceil(ms / 1_000)} s`)).catch(
  (error: Error) => showStatus('bad', error.message),
);
