import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';

it('starts with the first look, never before', async () => {
  const { sandbox } = await startTestSandbox();
  const { stdout } = await run(sandbox, 'pidof Xvfb openbox python3; echo $DISPLAY');
  expect(stdout).toBe(':0\n');
  const { frame, image, starts } = {
    ...(await sandbox.desktop.screenshot()),
    ...(await sandbox.desktop.start()),
  };
  expect(frame).toEqual({ region: { x: 0, y: 0, width: 1_280, height: 800 }, width: 1_280, height: 800 });
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  expect(starts).toBe(1);
});

it('starts for the first program that wants a display', async () => {
  const { sandbox } = await startTestSandbox();
  await sandbox.desktop.setSize({ width: 640, height: 480 });
  const { stdout, exit_code } = await run(sandbox, 'xdpyinfo | grep dimensions');
  expect(exit_code).toBe(0);
  expect(stdout).toContain('640x480 pixels');
  expect(await sandbox.desktop.start()).toMatchObject({ running: true, width: 640, height: 480, starts: 1 });
});

it('refuses another size once it runs', async () => {
  const { sandbox } = await startTestSandbox();
  await sandbox.desktop.start({ size: { width: 800, height: 600 } });
  await expect(sandbox.desktop.setSize({ width: 801, height: 600 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(await sandbox.desktop.setSize({ width: 800, height: 600 })).toMatchObject({ width: 800 });
});

it('comes back when its parts are killed', async () => {
  const { sandbox } = await startTestSandbox();
  await sandbox.desktop.start();
  const manager = async () => (await run(sandbox, 'pidof openbox')).stdout.trim();
  const first = await manager();
  await run(sandbox, 'pkill -9 openbox; pkill -9 -f /opt/sandboxd/desktop');
  await vi.waitFor(async () => expect(await manager()).toMatch(/^\d+$/), 5_000);
  expect(await manager()).not.toBe(first);
  await vi.waitFor(() => sandbox.desktop.screenshot(), 5_000);
  expect(await sandbox.desktop.start()).toMatchObject({ starts: 1 });

  await run(sandbox, 'pkill -9 Xvfb');
  await vi.waitFor(() => sandbox.desktop.screenshot(), 5_000);
  expect(await sandbox.desktop.start()).toMatchObject({ starts: 2 });
});

/** What the VNC server says first. */
async function greet(sandbox: Sandbox): Promise<string> {
  await using vnc = await sandbox.desktop.vnc();
  const [greeting] = await once(vnc, 'data');
  return String(greeting);
}

it('leads to a VNC server that nothing else leads to', async () => {
  const { sandbox } = await startTestSandbox();
  expect(await greet(sandbox)).toBe('RFB 003.008\n');
  const listening = await run(sandbox, 'cat /proc/net/tcp /proc/net/tcp6 | awk \'$4 == "0A" { print $2 }\'');
  // sandboxd's proxy alone.
  expect(listening.stdout).toBe('0100007F:0C38\n');
  await run(sandbox, 'pkill -9 X0tigervnc');
  expect(await greet(sandbox)).toBe('RFB 003.008\n');
});

it('leads to the next VNC server when one dies before it has greeted', async () => {
  const { sandbox } = await startTestSandbox();
  await greet(sandbox);
  // Stopped, it is connected to all the same.
  await run(sandbox, 'pkill -STOP X0tigervnc');
  const greeting = greet(sandbox);
  await run(
    sandbox,
    'until grep -q "01 02 .*vnc.sock" /proc/net/unix; do sleep 0.01; done; pkill -9 X0tigervnc',
  );
  expect(await greeting).toBe('RFB 003.008\n');
});

it('shuts nobody out for viewers who leave before they have said anything', async () => {
  const { sandbox } = await startTestSandbox();
  for (let i = 0; i < 12; i++) expect(await greet(sandbox)).toBe('RFB 003.008\n');
});
