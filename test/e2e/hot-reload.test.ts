import { expect, onTestFinished, test, vi } from 'vitest';
import { startScriptedModelServer } from '../../src/model/scripted/server.ts';
import { startBrowser } from '../support/browser.ts';
import { dataOf, startTestServer } from '../support/server.ts';

const KEY = 'a-key-of-enough-characters';
const FILES = {
  'package.json': JSON.stringify({ private: true, type: 'module', devDependencies: { vite: '8.3.8' } }),
  'index.html': `<link rel="icon" href="data:,"><button id="count">0</button><p id="label"></p><script type="module" src="/main.js"></script>`,
  'main.js': `import { label } from './label.js';
let count = 0;
const button = document.querySelector('#count');
button.onclick = () => { button.textContent = String(++count); };
const show = (text) => { document.querySelector('#label').textContent = text; };
show(label);
import.meta.hot.accept('./label.js', (changed) => show(changed.label));
`,
  'label.js': `export const label = 'before';\n`,
};
const INSTALL = 'npm install --no-audit --no-fund --loglevel=error';
const turn = (name: string, input: Record<string, unknown>) => ({ calls: [{ name, input }] });
const SCRIPT = {
  tracks: [
    {
      turns: [
        turn('shell', { command: INSTALL, timeout_s: 150 }),
        turn('shell', { command: 'npx vite', background: true }),
        turn('open_port', { port: 5173, title: 'The app' }),
        turn('ask_user', { question: 'Do you like it?' }),
        turn('finish', { summary: 'They do.', success: true }),
      ],
    },
  ],
};

/** What the test holds of the page's own state: gone when it is loaded again. */
const MARK = 'window.mark = true';

test('an agent opens its dev server to a browser, and a change reaches the page without a reload', async () => {
  const model = await startScriptedModelServer({ script: SCRIPT });
  onTestFinished(() => model.close());
  const [server, { page, faults }] = await Promise.all([
    startTestServer({
      API_KEYS: KEY,
      MODEL: 'openai-compatible/scripted',
      OPENAI_BASE_URL: `${model.url}/v1`,
    }),
    startBrowser(),
  ]);
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const send = (method: string, path: string, body: string) =>
    fetch(`${server.url}${path}`, { method, headers, body });
  const id = await server.schedule({
    prompt: 'Show me the app.',
    files: Object.entries(FILES).map(([path, content]) => ({ path, content })),
  });

  const { port, url, title } = await server.event(id, 'port.opened');
  expect([port, title]).toEqual([5_173, 'The app']);
  expect(new URL(url).host).toBe(`5173-${id}.localhost:${new URL(server.url).port}`);
  const home = await fetch(server.url, { headers: { ...headers, accept: 'text/html' } });
  expect(await home.text()).toContain(`<a href="${url}" rel="noreferrer">The app</a>`);

  // Not without authorization; with a ticket, which is then kept as a cookie of that host alone.
  expect((await page.goto(url))?.status()).toBe(401);
  const made = await send('POST', `/tickets/${id}`, JSON.stringify({ scope: 'port', port }));
  const { link } = (await made.json()) as { link: string };
  expect((await page.goto(link))?.status()).toBe(200);
  expect(page.url()).toBe(url);

  const label = () => page.textContent('#label');
  await vi.waitFor(async () => expect(await label()).toBe('before'), { timeout: 20_000 });
  await page.click('#count');
  await page.click('#count');
  await page.evaluate(MARK);
  await send('PUT', `/files/${id}/label.js`, `export const label = 'after';\n`);
  await vi.waitFor(async () => expect(await label()).toBe('after'), { timeout: 10_000 });
  expect(await page.textContent('#count')).toBe('2');
  expect(await page.evaluate('window.mark')).toBe(true);
  expect(faults.filter((fault) => !/401/.test(fault))).toEqual([]);

  await send('POST', `/message/${id}`, JSON.stringify({ text: 'yes' }));
  const events = await server.ended(id);
  expect(dataOf(events, 'job.ended')).toMatchObject([{ status: 'complete' }]);
  expect(dataOf(events, 'tool.result').find(({ tool }) => tool === 'open_port')?.content).toMatch(
    /^Port 5173 \(.*vite.*\) is open to the user at http:/,
  );
}, 240_000);
