import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { EgressConnection } from '../../src/sandbox/egress/serve-egress.ts';
import type { StartedSandbox } from '../../src/sandbox/start.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

export function letsOut(engine: Engine, check: Case): void {
  describe('egress', () => {
    let started: StartedSandbox;
    let server: Server;
    let port: number;
    const seen: EgressConnection[] = [];
    beforeAll(async () => {
      server = createServer((_request, response) => response.end('from the host'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
      started = await startTestSandbox({ driver: engine.makeDriver(), lasts: 'file' });
    });
    afterAll(() => void server.close());

    const assign = (mode: 'none' | 'public' | 'allowlist', allow: string[] = []) => {
      seen.length = 0;
      started.egress.assign({ mode, allow }, (connection) => void seen.push(connection));
    };
    // curl leaves loopback out of the proxy unless it is told not to.
    const fetch = (address: string) =>
      run(started.sandbox, `curl -sS --noproxy '' -p -o - -w ' %{http_connect}' http://${address}:${port}/`);

    check('goes through the worker to what the policy allows', async () => {
      assign('public');
      expect(await fetch('127.0.0.1')).toMatchObject({ stdout: 'from the host 200', exit_code: 0 });
      expect(seen).toEqual([
        { host: '127.0.0.1', port, address: '127.0.0.1', allowed: true, rule: 'network.mode=public' },
      ]);
    });

    check('is refused with 403 and the rule otherwise', async () => {
      assign('none');
      expect((await fetch('127.0.0.1')).stdout).toContain('403');
      assign('allowlist', ['127.0.0.2']);
      expect((await fetch('127.0.0.1')).stdout).toContain('403');
      assign('public');
      expect((await fetch('10.0.0.1')).stdout).toContain('403');
      expect(seen[0]).toMatchObject({ allowed: false, rule: 'private-address 10.0.0.1 (private)' });
    });

    check('shows a program that is refused the rule', async () => {
      assign('none');
      const { stdout } = await run(
        started.sandbox,
        `curl -sS --noproxy '' -D - http://127.0.0.1:${port}/ 2>&1`,
      );
      expect(stdout).toContain('403');
      expect(stdout).toContain('network.mode=none');
    });

    check('needs nothing of ordinary programs', async () => {
      assign('allowlist', ['no-such-name.invalid']);
      const curl = `curl -sS -o /dev/null -w '%{http_connect}' https://no-such-name.invalid/`;
      expect((await run(started.sandbox, curl)).stdout).toBe('502');
      const node = `fetch("https://denied.invalid/").catch(() => console.log('refused'))`;
      expect((await run(started.sandbox, { argv: ['node', '-e', node] })).stdout).toBe('refused\n');
      const pip = `python3 -c 'import urllib.request as u; u.urlopen("http://denied.invalid/")'`;
      expect((await run(started.sandbox, pip)).stderr).toContain('403');
      expect(seen.map(({ host, allowed }) => [host, allowed])).toEqual([
        ['no-such-name.invalid', true],
        ['denied.invalid', false],
        ['denied.invalid', false],
      ]);
    });

    check('is denied until a policy is assigned, and after it has been let go', async () => {
      const other = await startTestSandbox({ driver: engine.makeDriver() });
      const command = `curl -sS --noproxy '' -p -o /dev/null -w '%{http_connect}' http://127.0.0.1:${port}/`;
      expect((await run(other.sandbox, command)).stdout).toBe('403');
    });
  });
}
