import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import type { StartedSandbox } from '../../src/sandbox/start.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

const ATTEMPTS = join(import.meta.dirname, 'escape.py');

/** A socket of the machine, and how often somebody has connected to it. */
async function hostSocket(): Promise<{ folder: string; connections: () => number }> {
  const folder = await mkdtemp(join(tmpdir(), 'escape-'));
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(join(folder, 'api.sock'));
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, connections: () => connections };
}

export function holds(engine: Engine, check: Case): void {
  describe.each(['user', 'root'] as const)('escape as %s', (privileges) => {
    let sandbox: Sandbox;
    let other: Sandbox;
    beforeAll(async () => {
      const driver = engine.makeDriver();
      const started = [1, 2].map(() => startTestSandbox({ driver, privileges, lasts: 'file' }));
      [sandbox, other] = (await Promise.all(started)).map((each) => each.sandbox) as [Sandbox, Sandbox];
    });

    check(`finds no way into the kernel (${privileges})`, async () => {
      await sandbox.write('/tmp/escape.py', await readFile(ATTEMPTS));
      const { stdout, stderr } = await run(sandbox, 'python3 /tmp/escape.py');
      expect(stdout + stderr).toBe('\n');
    });

    check(`has no open file but its own (${privileges})`, async () => {
      const { stdout } = await run(sandbox, 'for fd in /proc/1/fd/*; do readlink $fd; done');
      for (const file of stdout.trim().split('\n')) {
        expect(file).toMatch(/^(\/dev\/null|\/opt\/sandboxd\/init|(pipe|socket):\[\d+\]|anon_inode:.*)$/);
      }
    });

    check(`reaches no other sandbox (${privileges})`, async () => {
      await sandbox.spawn({
        argv: [
          'python3',
          '-c',
          `
import os, socket, time
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0here"); abstract.listen()
tcp = socket.create_server(("0.0.0.0", 4567))
open("/dev/shm/here", "w").write("x"); open("/tmp/here", "w").write("x")
open("/tmp/ready", "w").write("x")
time.sleep(600)`,
        ],
      });
      expect(
        (await run(sandbox, 'until [ -e /tmp/ready ]; do sleep 0.05; done; ipcmk -M 4096')).exit_code,
      ).toBe(0);
      const reach = `
import os, socket
for family, address in ((socket.AF_UNIX, "\\0here"), (socket.AF_INET, ("127.0.0.1", 4567))):
    try:
        socket.socket(family).connect(address); print("connected", address)
    except OSError: pass
for path in ("/dev/shm/here", "/tmp/here"):
    if os.path.exists(path): print("found", path)`;
      expect((await run(other, { argv: ['python3', '-c', reach] })).stdout).toBe('');
      expect((await run(other, 'ipcs -m | grep -c 4096')).stdout).toBe('0\n');
      // Signals to all whom they reach.
      await run(other, 'kill -9 -1').catch(() => {});
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    check(`cannot lead the machine's calls astray (${privileges})`, async () => {
      const driver = engine.makeDriver();
      const started = await startTestSandbox({ driver, privileges });
      const { folder, connections } = await hostSocket();
      const traps = [
        `ln -s ${folder}/api.sock`,
        'mkfifo',
        'touch',
        'mkdir',
        'ln -s /proc/1/root/run/sandboxd/api.sock',
        'ln -s api.sock',
      ].map((make) => `rm -rf /run/sandboxd/api.sock; ${make} /run/sandboxd/api.sock`);
      await fall(started, traps);
      if (privileges === 'user') return;
      for (const trap of [
        `mv /run/sandboxd /run/old; ln -s ${folder} /run/sandboxd`,
        `mv /run /old; ln -s ${folder} /run`,
      ]) {
        await fall(await startTestSandbox({ driver, privileges }), [trap]);
      }

      /** Sets traps one after another, and looks whether the driver's own connection goes where they lead. */
      async function fall({ sandbox: inside, handle }: StartedSandbox, set: string[]): Promise<void> {
        for (const trap of set) {
          expect((await run(inside, trap)).exit_code, trap).toBe(0);
          const signal = AbortSignal.timeout(300);
          const stream = await driver.connect(handle, 'api', signal).catch(() => null);
          const ended = stream && once(stream, 'close');
          stream?.on('error', () => {}).destroy();
          await ended;
          expect(connections(), trap).toBe(0);
        }
      }
    });
  });
}
