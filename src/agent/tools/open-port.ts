import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Port } from '../../protocol/ports.ts';
import { defineTool } from '../tool.ts';

const DEFAULT_WAIT_S = 30;
const MAX_WAIT_S = 300;
const POLL_MS = 200;

export const openPort = defineTool({
  name: 'open_port',
  description: `Gives the user a link to a program of yours that listens on a port: a development server, a preview, an API. Use it once the user would want to see or try what you run; start the program first (shell with background: true).
- Waits until something listens on the port, wait_s seconds at most (default ${DEFAULT_WAIT_S}, up to ${MAX_WAIT_S}). If nothing does, the result says what listens instead: read the program's output with shell_output.
- The link is for people, and works while this machine runs: HTTP and WebSocket, at a host name of its own. From inside use http://localhost:PORT, with curl, chromium or tests.
- title says in a few words what is there. Listening on localhost is enough; no port needs to be opened anywhere else, and no tunnel or public address is needed.`,
  input: z.strictObject({
    port: Port,
    title: z.string().min(1).max(200).optional(),
    wait_s: z.int().min(0).max(MAX_WAIT_S).optional(),
  }),
  repeatable: true,
  summary: ({ port, title }) => (title ? `open port ${port}: ${title}` : `open port ${port}`),
  async run({ port, title, wait_s = DEFAULT_WAIT_S }, call) {
    const { sandbox, signal, step, callId } = call;
    const until = performance.now() + wait_s * 1_000;
    for (;;) {
      const ports = await sandbox.ports({ signal });
      const found = ports.find((listening) => listening.port === port);
      if (found) {
        const url = call.portUrl(port);
        const data = { step, call_id: callId, port, url, title: title ?? null };
        await call.append({ type: 'port.opened', data });
        const by = found.command ? ` (${found.command})` : '';
        return { content: `Port ${port}${by} is open to the user at ${url}` };
      }
      if (performance.now() >= until) {
        const others = ports.map((one) => `${one.port}${one.command ? ` (${one.command})` : ''}`);
        const there =
          others.length > 0
            ? `These ports are listened on: ${others.join(', ')}.`
            : 'Nothing listens on any port.';
        return { content: `Nothing listens on port ${port} after ${wait_s} s. ${there}`, isError: true };
      }
      await delay(POLL_MS, undefined, { signal });
    }
  },
});
