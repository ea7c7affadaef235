import RFB from '@novnc/novnc';
import { address, findTicket, pageId } from './access.ts';
import { Control, Over } from './control.ts';
import { showNotice } from './notice.ts';
import { keepConnected } from './reconnect.ts';
import { showStatus } from './status.ts';

const LOOK_MS = 3_000;
const KEEP_MS = 40_000;

const element = <T extends HTMLElement>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
};
const button = element<HTMLButtonElement>('#control');
const clipboard = element('#clipboard');
const clipboardText = element<HTMLTextAreaElement>('#clipboard-text');
const clipboardButton = element<HTMLButtonElement>('#clipboard-button');
const fullButton = element<HTMLButtonElement>('#full');
const screen = element('#screen');

let ticket: string | null = null;
let control = new Control(null);
let rfb: RFB | null = null;
let isOver = false;

/** One connection, from its start to its end. */
async function connect(): Promise<boolean> {
  showStatus('busy', 'Connecting');
  try {
    await control.holder();
  } catch (error) {
    isOver = error instanceof Over;
    if (isOver) showOver((error as Error).message);
    else showStatus('busy', (error as Error).message);
    button.disabled = true;
    return isOver;
  }
  const url = address(`/desktop/${pageId()}`, 'ws');
  if (ticket !== null) url.searchParams.set('ticket', ticket);
  const { token } = control;
  if (token !== null) url.searchParams.set('control', token);
  const socket = new WebSocket(url);
  socket.addEventListener('close', ({ code }) => {
    // Control has ended: from now on to watch.
    if (code === 4001) control.forget();
  });
  const client = new RFB(screen, socket, { shared: true });
  rfb = client;
  client.scaleViewport = true;
  client.viewOnly = token === null;
  client.background = 'transparent';
  client.addEventListener('clipboard', ({ detail }) => {
    clipboardText.value = detail.text;
    // Where the browser lets a page do so: in the foreground, with the user's leave.
    navigator.clipboard?.writeText(detail.text).catch(() => {});
  });
  return new Promise((resolve) => {
    client.addEventListener('connect', () => {
      showStatus('good', token === null ? 'Live' : 'Live, you have control');
      showControl();
      if (token !== null) client.focus();
    });
    client.addEventListener('disconnect', () => {
      rfb = null;
      showControl();
      resolve(isOver);
    });
  });
}

/** There is nothing to be seen or done here any more. */
function showOver(why: string): void {
  showStatus('over', 'Over');
  showNotice(why);
  for (const each of [button, clipboardButton, fullButton]) each.hidden = true;
}

/** Says whose control it is, and offers what can be done. */
function showControl(other: string | null = null): void {
  const mine = control.token !== null;
  document.body.dataset.control = mine ? 'mine' : 'none';
  button.textContent = mine ? 'Give control back' : other === null ? 'Take control' : `${other} has control`;
  button.disabled = rfb === null || (!mine && other !== null);
  clipboardButton.disabled = !mine;
  if (!mine) clipboard.hidden = true;
}

async function look(): Promise<void> {
  if (isOver || document.hidden) return;
  const held = await control.holder().catch(() => null);
  showControl(held?.holder ?? null);
}

button.onclick = async () => {
  button.disabled = true;
  try {
    await (control.token === null ? control.take() : control.release());
    // The connection is made anew, with control or without.
    rfb?.disconnect();
  } catch (error) {
    showStatus('bad', (error as Error).message);
    await look();
  }
};
// Phones may have none.
fullButton.hidden = !document.fullscreenEnabled;
fullButton.onclick = () => void screen.requestFullscreen();
clipboardButton.onclick = () => {
  clipboard.hidden = !clipboard.hidden;
};
element('#clipboard-send').onclick = () => {
  rfb?.clipboardPasteFrom(clipboardText.value);
  rfb?.focus();
};
// Back from another window: what was copied there can be pasted here.
addEventListener('focus', () => {
  if (control.token === null) return;
  navigator.clipboard
    ?.readText()
    .then((text) => rfb?.clipboardPasteFrom(text))
    .catch(() => {});
});
setInterval(() => void look(), LOOK_MS);
setInterval(() => {
  if (control.token !== null) control.take().catch(() => control.forget());
}, KEEP_MS);

async function start(): Promise<void> {
  ticket = await findTicket('desktop');
  control = new Control(ticket);
  await keepConnected(connect, (ms) => showStatus('busy', `Cut off; again in ${Math.ceil(ms / 1_000)} s`));
}
start().catch((error: Error) => showStatus('bad', error.message));
