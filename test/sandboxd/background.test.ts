import { describe, expect, it, vi } from 'vitest';
import { collect, runs, useSandbox } from './support.ts';

const used = useSandbox();

describe('background processes', () => {
  it('outlive their call, are listed, and keep their output', async () => {
    const { id, pid } = await used.sandbox.spawn({ shell: 'echo one; echo two >&2; sleep 60' });
    await vi.waitFor(async () => {
      const output = collect();
      await used.sandbox.attach({ id }, output);
      expect(output).toMatchObject({ stdout: 'one\n', stderr: 'two\n' });
    });
    expect(await used.sandbox.processes()).toContainEqual(
      expect.objectContaining({ id, pid, background: true, ended: null, stdout_bytes: 4, stderr_bytes: 4 }),
    );
    await used.sandbox.signal(id, 'SIGTERM');
    const { info } = await used.sandbox.attach({ id, follow: true });
    expect(info.ended).toMatchObject({ exit_code: null, signal: 'SIGTERM' });
    expect(runs(pid)).toBe(false);
  });

  it('are followed to their end, from an offset', async () => {
    const { id } = await used.sandbox.spawn({ shell: 'echo 12345; sleep 0.3; echo 67890' });
    const output = collect();
    const { info, stdoutAt } = await used.sandbox.attach({ id, stdoutFrom: 3, follow: true }, output);
    expect(output.stdout).toBe('45\n67890\n');
    expect(stdoutAt).toBe(12);
    expect(info.ended).toMatchObject({ exit_code: 0 });
    const rest = collect();
    await used.sandbox.attach({ id, stdoutFrom: stdoutAt }, rest);
    expect(rest.stdout).toBe('');
  });

  it('keep the newest of a long output, and say where that starts', async () => {
    const { id } = await used.sandbox.spawn({ shell: 'seq 1 1000000' });
    await used.sandbox.attach({ id, follow: true });
    const output = collect();
    const { stdoutAt, info } = await used.sandbox.attach({ id }, output);
    expect(info.stdout_bytes).toBe(6_888_896);
    expect(stdoutAt).toBe(6_888_896);
    expect(output.stdout).toHaveLength(1024 * 1024);
    expect(output.stdout.endsWith('999999\n1000000\n')).toBe(true);
  });

  it('take input until its end', async () => {
    const { id } = await used.sandbox.spawn({ argv: ['cat'] });
    await used.sandbox.input({ id, bytes: Buffer.from('a') });
    await used.sandbox.input({ id, bytes: Buffer.from('b'), end: true });
    const output = collect();
    await used.sandbox.attach({ id, follow: true }, output);
    expect(output.stdout).toBe('ab');
    await expect(used.sandbox.input({ id, bytes: Buffer.from('c') })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('end at their time limit with all that they started', async () => {
    const { id } = await used.sandbox.spawn({ shell: 'setsid sleep 60 & echo $!; wait', timeoutMs: 400 });
    const output = collect();
    const { info } = await used.sandbox.attach({ id, follow: true }, output);
    expect(info.ended?.timed_out).toBe(true);
    await vi.waitFor(() => expect(runs(Number(output.stdout))).toBe(false));
  });

  it('are signalled with their tree or alone', async () => {
    const { id, pid } = await used.sandbox.spawn({ shell: 'sleep 60 & echo $!; wait' });
    const output = collect();
    await vi.waitFor(async () => {
      await used.sandbox.attach({ id }, output);
      expect(output.stdout).not.toBe('');
    });
    const child = Number(output.stdout.split('\n')[0]);
    await used.sandbox.signal(id, 'SIGKILL');
    await vi.waitFor(() => expect([pid, child].map(runs)).toEqual([false, false]));
  });

  it('are forgotten in the end, the oldest first', async () => {
    const first = await used.sandbox.spawn({ argv: ['true'] });
    await used.sandbox.attach({ id: first.id, follow: true });
    for (let i = 0; i < 100; i++) {
      const { id } = await used.sandbox.spawn({ argv: ['true'] });
      await used.sandbox.attach({ id, follow: true });
    }
    expect(await used.sandbox.processes()).toHaveLength(100);
    await expect(used.sandbox.attach({ id: first.id })).rejects.toMatchObject({ code: 'PROCESS_NOT_FOUND' });
    await expect(used.sandbox.signal(first.id, 'SIGTERM')).rejects.toMatchObject({
      code: 'PROCESS_NOT_FOUND',
    });
  });
});
