import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { startBrowser } from '../support/browser.ts';
import { run } from '../support/sandbox.ts';
import { dataOf, runbook, startTestServer, type TestServer } from '../support/server.ts';

/** Pictures of the pages are left here to be looked at. */
const shot = (page: Page, name: string) =>
  process.env.SCREENSHOTS
    ? page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) })
    : undefined;

const PAINT = runbook(
  'until [ -e first ]; do sleep 0.1; done; xsetroot -solid "#c02020"; until [ -e go ]; do sleep 0.1; done; xsetroot -solid "#2020c0"; until [ -e end ]; do sleep 0.1; done',
);

// Run in the page.
const COLOUR = `(() => {
  const canvas = document.querySelector('#screen canvas');
  const data = canvas?.getContext('2d').getImageData(canvas.width / 4, canvas.height / 5, 1, 1).data;
  return data ? [...data.slice(0, 3)] : null;
})()`;
const FITS = `(() => {
  const canvas = document.querySelector('#screen canvas')?.getBoundingClientRect();
  return canvas !== undefined && canvas.right <= innerWidth + 1 && canvas.bottom <= innerHeight + 1;
})()`;

/** The colour that the live view shows, away from the pointer. */
const colour = (page: Page) => page.evaluate<number[] | null>(COLOUR);
const shows = (page: Page, wanted: [number, number, number]) =>
  vi.waitFor(
    async () => {
      const found = (await colour(page)) ?? [];
      // Lossy pictures come near.
      expect(
        found.every((value, i) => Math.abs(value - (wanted[i] ?? 0)) < 12),
        `${found}`,
      ).toBe(true);
    },
    { timeout: 15_000, interval: 50 },
  );
const status = (page: Page, text: RegExp) =>
  vi.waitFor(async () => expect(await page.textContent('#status')).toMatch(text), { timeout: 15_000 });

/** A way to the server that can be cut. */
async function cuttableWay(url: string): Promise<{ url: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const way = createServer((socket) => {
    const inner = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [from, to] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    way.close();
  });
  const address = way.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, cut };
}

async function sandboxOf(server: TestServer, id: string): Promise<Sandbox> {
  await server.event(id, 'block.started');
  const sandbox = server.server.worker.live(id);
  if (!sandbox) throw new Error(`expected a live sandbox of job ${id}`);
  return sandbox;
}

test('a browser sees the desktop of a running job change, only watches until it has control, and comes back', async () => {
  const [server, { page, faults }] = await Promise.all([startTestServer(), startBrowser()]);
  const way = await cuttableWay(server.server.desktopsUrl);
  const id = await server.schedule({ prompt: PAINT, agent: 'runbook' });
  const sandbox = await sandboxOf(server, id);

  // The list at the port of desktops, and from there to the desktop.
  await page.goto(way.url);
  await page.waitForSelector(`a[href$="${id}"]`);
  await shot(page, 'desktops');
  await page.click(`a[href$="${id}"]`);
  await status(page, /Live/);
  await sandbox.write('first', '');
  await shows(page, [0xc0, 0x20, 0x20]);
  await sandbox.write('go', '');
  await shows(page, [0x20, 0x20, 0xc0]);
  await shot(page, 'desktop-view');

  // The picture fits the window.
  const fits = () => page.evaluate<boolean>(FITS);
  expect(await fits()).toBe(true);
  await page.setViewportSize({ width: 600, height: 500 });
  await vi.waitFor(async () => expect(await fits()).toBe(true));
  await page.setViewportSize({ width: 1_100, height: 760 });

  // Only to watch.
  await run(
    sandbox,
    'xdotool mousemove 5 5; rm -f typed; (xterm -geometry 100x30+100+100 -e "cat > typed" &)',
  );
  await run(sandbox, 'xdotool search --sync --onlyvisible --class xterm');
  const middle = { x: 550, y: 380 };
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.click(middle.x, middle.y);
  await page.keyboard.type('never');
  const pointer = async () => (await run(sandbox, 'xdotool getmouselocation')).stdout;
  expect(await pointer()).toMatch(/^x:5 y:5 /);

  // With control.
  await page.click('#control');
  await status(page, /you have control/);
  await page.mouse.click(300, 300);
  await page.keyboard.type('hello\n');
  await vi.waitFor(async () => expect((await run(sandbox, 'cat typed')).stdout).toBe('hello\n'), 5_000);
  expect(await pointer()).not.toMatch(/^x:5 y:5 /);
  expect(
    (await (
      await fetch(`${server.url}/desktop/${id}/control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    ).json()) as object,
  ).toMatchObject({ code: 'CONTROL_TAKEN' });

  // The clipboard, both ways.
  await page.click('#clipboard-button');
  await page.fill('#clipboard-text', 'from the browser: grüße');
  await page.click('#clipboard-send');
  const clipboard = async () => (await run(sandbox, 'timeout 2 xclip -o -selection clipboard')).stdout;
  await vi.waitFor(async () => expect(await clipboard()).toBe('from the browser: grüße'), {
    timeout: 10_000,
  });
  await run(sandbox, 'printf "from the desktop" | xclip -selection clipboard');
  await vi.waitFor(async () => expect(await page.inputValue('#clipboard-text')).toBe('from the desktop'), {
    timeout: 10_000,
  });
  await shot(page, 'desktop-control');

  // The connection is cut: it comes back, with control.
  way.cut();
  await vi.waitFor(async () => expect(await page.textContent('#status')).not.toMatch(/Live/), {
    timeout: 5_000,
    interval: 10,
  });
  await status(page, /you have control/);
  await run(sandbox, 'pkill xterm; xsetroot -solid "#20c020"');
  await shows(page, [0x20, 0xc0, 0x20]);

  // Given back.
  await page.click('#control');
  await status(page, /^Live$/);
  await run(sandbox, 'xdotool mousemove 7 7');
  await page.mouse.move(200, 500);
  await page.mouse.click(220, 520);
  expect(await pointer()).toMatch(/^x:7 y:7 /);

  await sandbox.write('end', '');
  const events = await server.ended(id);
  expect(dataOf(events, 'control.taken')).toHaveLength(1);
  expect(dataOf(events, 'control.released')).toEqual([{ holder: 'a viewer', reason: 'released' }]);
  await status(page, /Over/);
  expect(await page.textContent('.notice')).toBe('The job has ended as complete; its sandbox is gone.');
  await shot(page, 'desktop-ended');
  // What the cut and the end leave in the console is the browser's own word of failed connections.
  expect(faults.filter((fault) => !/WebSocket|Failed to load resource|ERR_|409/.test(fault))).toEqual([]);
}, 120_000);

test('a terminal in the browser, which asks for the key', async () => {
  const key = 'a-key-of-enough-characters';
  const [server, { page, faults }] = await Promise.all([startTestServer({ API_KEYS: key }), startBrowser()]);
  const id = await server.schedule({ prompt: PAINT, agent: 'runbook' });
  const sandbox = await sandboxOf(server, id);
  await page.goto(`${server.url}/terminal/${id}`);
  await page.waitForSelector('#key-form:not([hidden])');
  await shot(page, 'terminal-key');
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await status(page, /Connected/);
  await page.keyboard.type('echo typed-$((40+2)) | tee out; stty size\n');
  await vi.waitFor(async () => expect((await run(sandbox, 'cat out')).stdout).toBe('typed-42\n'), 5_000);
  await vi.waitFor(async () => expect(await page.textContent('.xterm-rows')).toContain('typed-42'));
  await shot(page, 'terminal');
  expect(faults.filter((fault) => !/401/.test(fault))).toEqual([]);
}, 90_000);
