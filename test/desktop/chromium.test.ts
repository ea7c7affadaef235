import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SANDBOX_PATHS } from '../../src/protocol/sandboxd.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';

const PAGE = `<!doctype html><meta charset="utf-8"><title>Page</title>
<input id="text" style="position:fixed;left:0;top:0;width:600px;height:40px">
<button onclick="document.title = 'clicked'" style="position:fixed;left:0;top:60px;width:300px;height:60px">go</button>`;
/** An authority of its own, a certificate for localhost by it, and the authority in what the sandbox is to trust. */
const CERTIFICATES = `set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj "/CN=Test" \\
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request -subj "/CN=localhost"
printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth\\nbasicConstraints=CA:FALSE' >extensions
openssl x509 -req -in request -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out cert.pem -extfile extensions
cat ca.crt >>${SANDBOX_PATHS.caBundle}`;
const SERVER = `import http.server, ssl
server = http.server.ThreadingHTTPServer(('127.0.0.1', 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('cert.pem', 'key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()`;

describe('Chromium', () => {
  let sandbox: Sandbox;
  const act = (...actions: Parameters<Sandbox['desktop']['act']>[0]) => sandbox.desktop.act(actions);
  async function evaluate(expression: string): Promise<unknown> {
    const { stdout, stderr } = await run(sandbox, { argv: ['node', 'devtools.mjs', expression] });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  }
  beforeAll(async () => {
    const limits = { memory_mb: 2_048, pids: 512 };
    ({ sandbox } = await startTestSandbox({ lasts: 'file', limits }));
    await sandbox.write('index.html', PAGE);
    await sandbox.write('server.py', SERVER);
    await sandbox.write('devtools.mjs', readFileSync(resolve(import.meta.dirname, 'devtools.mjs')));
    expect(await run(sandbox, CERTIFICATES)).toMatchObject({ exit_code: 0 });
    await sandbox.spawn({ argv: ['python3', 'server.py'] });
    const { windows } = await sandbox.desktop.open({
      command: 'chromium --app=https://localhost:8443/',
      timeoutMs: 30_000,
    });
    expect(windows).toMatchObject([{ class: 'Chromium' }]);
    await vi.waitFor(async () => expect(await evaluate('document.title')).toBe('Page'), 20_000);
  });

  /** The middle of an element, on the screen. */
  async function placeOf(selector: string): Promise<{ x: number; y: number }> {
    const place = await evaluate(`(() => {
      const { left, top, width, height } = document.querySelector('${selector}').getBoundingClientRect();
      const frame = outerHeight - innerHeight;
      return { x: screenX + left + width / 2, y: screenY + frame + top + height / 2 };
    })()`);
    return place as { x: number; y: number };
  }

  it('trusts what the sandbox is to trust, and is used by hand', async () => {
    await act({ action: 'click', ...(await placeOf('button')) }, { action: 'wait_still' });
    await vi.waitFor(async () => expect(await evaluate('document.title')).toBe('clicked'), 5_000);
    const text = 'Hello, Wörld! λ 漢字 😀 Жук';
    await act({ action: 'click', ...(await placeOf('#text')) }, { action: 'type', text });
    await vi.waitFor(
      async () => expect(await evaluate('document.querySelector("input").value')).toBe(text),
      5_000,
    );
    await act({ action: 'key', keys: 'ctrl+a ctrl+c' }, { action: 'wait_still' });
    expect(await act({ action: 'read_clipboard' })).toEqual([{ text }]);
    await act({ action: 'write_clipboard', text: 'pasted ß' }, { action: 'key', keys: 'ctrl+a ctrl+v' });
    await vi.waitFor(
      async () => expect(await evaluate('document.querySelector("input").value')).toBe('pasted ß'),
      5_000,
    );
  });

  it("goes out through the sandbox's way out alone", async () => {
    await run(sandbox, "curl -s -X PUT 'http://127.0.0.1:9222/json/new?http://example.com/'");
    await vi.waitFor(
      async () => expect(await evaluate('document.body.innerText')).toContain('network.mode=none'),
      10_000,
    );
  });

  it('stays up under load', async () => {
    const pid = (await run(sandbox, 'pgrep -o chromium')).stdout;
    const busy =
      '<canvas></canvas><script>const c=document.querySelector("canvas");c.width=c.height=2000;const g=c.getContext("2d");setInterval(()=>{for(let i=0;i<200;i++){g.fillStyle="hsl("+Math.random()*360+" 90% 50%)";g.fillRect(Math.random()*2000,Math.random()*2000,300,300)}},0)</script>';
    await sandbox.write('busy.html', busy);
    await run(
      sandbox,
      `for i in 1 2 3 4 5 6; do curl -s -X PUT "http://127.0.0.1:9222/json/new?https://localhost:8443/busy.html" >/dev/null; done
       timeout 4 sh -c 'for i in 1 2 3; do while :; do :; done & done; wait' || :`,
    );
    expect((await run(sandbox, 'pgrep -o chromium')).stdout).toBe(pid);
    const { stdout } = await run(sandbox, "curl -s http://127.0.0.1:9222/json | grep -c '/busy.html\"'");
    expect(Number(stdout)).toBeGreaterThanOrEqual(6);
    expect(await evaluate('1 + 1')).toBe(2);
  });
});
