import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Runs the command line in a folder of its own. */
async function cli(args: string[], env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'agent-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const child = execFile(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text: string) => {
    printed.stdout += text;
  });
  child.stderr?.on('data', (text: string) => {
    printed.stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...printed, files: await readdir(folder) };
}

async function takenPort(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  return (other.address() as AddressInfo).port;
}

test('a wrong setting stops the start with its name, what was expected and what was found', async () => {
  const { code, stderr, files } = await cli(['serve'], { PORT: 'http', WORKER_CONCURRENCY: '-1' });
  expect(code).toBe(1);
  expect(stderr).toMatch(/PORT: .*"http"/);
  expect(stderr).toMatch(/WORKER_CONCURRENCY: .*"-1"/);
  expect(stderr).not.toContain('    at ');
  expect(files).toEqual([]);
});

test('a port that is taken is named before anything is started', async () => {
  const port = await takenPort();
  const { code, stderr, files } = await cli(['serve'], { PORT: String(port) });
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
  expect(stderr).toContain('PORT');
  expect(files).toEqual([]);
});

test('a prompt of one’s own needs a model, and the demo says which variable names it', async () => {
  const { code, stdout } = await cli(['demo', 'Build me a todo app']);
  expect(code).toBe(2);
  expect(stdout).toContain('MODEL=provider/name');
});

test('doctor tells each thing in a line, and fails when one that is needed is missing', async () => {
  const port = await takenPort();
  const { code, stdout } = await cli(['doctor'], { PORT: String(port), DOCKER_HOST: 'tcp://127.0.0.1:1' });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ok +node +Node\.js/m);
  expect(stdout).toMatch(/^missing +engine /m);
  expect(stdout).toMatch(/^unset +model /m);
  expect(stdout).toMatch(new RegExp(`^missing +ports +Port ${port}`, 'm'));
});

test('no server, no stack trace: what to do instead', async () => {
  const { code, stderr } = await cli(['run', 'x', '--server', 'http://127.0.0.1:1']);
  expect(code).toBe(1);
  expect(stderr).toContain('No server answers at http://127.0.0.1:1');
  expect(stderr).not.toContain('    at ');
});

test('a model server without its script says what it needs', async () => {
  const { code, stderr } = await cli(['model-server', '--script', 'nothing.json']);
  expect(code).toBe(1);
  expect(stderr).toContain('nothing.json');
});
