import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { OutputOptions } from '../../src/sandbox/sandbox.ts';
import { collect, runs, useSandbox } from './support.ts';

const used = useSandbox();

async function shell(command: string, request: { session?: string; timeoutMs?: number } = {}) {
  const output = collect();
  const ended = await used.sandbox.shell({ command, ...request }, output);
  return { ...ended, stdout: output.stdout, stderr: output.stderr };
}

describe('shell', () => {
  it('keeps directory, variables, functions, aliases and options from one command to the next', async () => {
    await shell('mkdir -p sub; cd sub; X="a  b"; f() { echo "f:$X"; }; export Y=1; shopt -s nullglob');
    const next = await shell('f; pwd; echo $Y; echo *; env | grep ^Y=');
    expect(next.stdout).toBe(`f:a  b\n${used.local.workspace}/sub\n1\n\nY=1\n`);
    expect(next).toMatchObject({ exit_code: 0, restarted: false, cwd: `${used.local.workspace}/sub` });
  });

  it('gives stdout, stderr and exit code apart, and stdin is empty', async () => {
    expect(await shell('echo o; echo e >&2; (exit 4)')).toMatchObject({
      stdout: 'o\n',
      stderr: 'e\n',
      exit_code: 4,
    });
    expect(await shell('cat; read line; echo "[$line]"')).toMatchObject({ stdout: '[]\n' });
  });

  it.each([
    ['a syntax error', 'echo before; if then', 2],
    ['an unset variable under set -u', 'set -u; echo $nothing', 1],
    ['a missing parameter', 'echo ${nothing:?is missing}', 1],
    ['a command that is not there', 'no-such-command', 127],
    ['break outside of a loop', 'break; return 7', 7],
    ['an unended quote', 'echo "', 2],
    ['an unended here-document', 'cat <<END >/dev/null\nx', 0],
  ])('survives %s', async (_what, command, code) => {
    await shell('K=kept; set +u', { session: 'survivor' });
    expect(await shell(command, { session: 'survivor' })).toMatchObject({
      exit_code: code,
      restarted: false,
    });
    expect((await shell('set +u; echo $K', { session: 'survivor' })).stdout).toBe('kept\n');
  });

  it.each([
    ['exit 3', 3],
    ['set -e; false', 1],
    ['exec sh -c "echo replaced; exit 6"', 6],
  ])('tells the exit code of %s and starts anew in the same folder', async (command, code) => {
    await shell('cd /usr; V=1', { session: 'mortal' });
    const died = await shell(`echo said; ${command}`, { session: 'mortal' });
    expect(died).toMatchObject({ exit_code: code, signal: null, restarted: true, stderr: '' });
    expect(died.stdout).toContain('said\n');
    expect(await shell('pwd; echo "[$V]"', { session: 'mortal' })).toMatchObject({
      stdout: '/usr\n[]\n',
      restarted: false,
    });
  });

  it('tells the signal that ended it', async () => {
    expect(await shell('kill -KILL $$', { session: 'killed' })).toMatchObject({
      exit_code: null,
      signal: 'SIGKILL',
      restarted: true,
    });
  });

  it('tells of a restart between two commands', async () => {
    const { stdout } = await shell('echo $$', { session: 'between' });
    process.kill(Number(stdout), 'SIGKILL');
    await vi.waitFor(() => expect(runs(Number(stdout))).toBe(false));
    await delay(50);
    expect(await shell('echo up', { session: 'between' })).toMatchObject({ stdout: 'up\n', restarted: true });
  });

  it('does not wait for a server left in the background, and does not lose the session', async () => {
    const first = await shell('W=1; sleep 60 & echo $!');
    expect(first.duration_ms).toBeLessThan(5_000);
    expect(await shell('echo $W; jobs -p')).toMatchObject({ stdout: `1\n${first.stdout}` });
    await shell('kill %1');
  });

  it('never takes the output of a background job for that of a later command', async () => {
    await shell('(for i in $(seq 200); do echo late$i; echo late >&2; sleep 0.005; done) &');
    for (let i = 0; i < 10; i++) {
      expect(await shell(`echo mine${i}`)).toMatchObject({ stdout: `mine${i}\n`, stderr: '' });
    }
  });

  it('streams 50 MB, whole and at the pace of the reader', async () => {
    let bytes = 0;
    const ended = await used.sandbox.shell(
      { command: 'head -c 50000000 /dev/zero' },
      {
        onOutput: (_stream, chunk) => {
          bytes += chunk.length;
        },
      },
    );
    expect(bytes).toBe(50_000_000);
    expect(ended.exit_code).toBe(0);
  });

  it('carries any bytes, and nothing in the output can pass for the end of a command', async () => {
    const { stdout } = await shell(
      "printf '\\0\\377\\n'; set | grep -a '^BASH_COMMAND='; printf 'x 0\\n250 0\\nready 0\\n'",
    );
    expect(stdout.startsWith('\0\xff\n')).toBe(true);
    expect(stdout.endsWith('x 0\n250 0\nready 0\n')).toBe(true);
    expect(await shell('printf "no newline"; printf exit >&2')).toMatchObject({
      stdout: 'no newline',
      stderr: 'exit',
    });
    expect(await shell('echo exit >&2')).toMatchObject({ stderr: 'exit\n' });
  });

  it('ends a command at its time limit with what it printed, and keeps the session', async () => {
    await shell('T=here; cd /');
    const late = await shell('echo begun; sleep 60; echo not this', { timeoutMs: 400 });
    expect(late).toMatchObject({ stdout: 'begun\n', timed_out: true, restarted: false, cwd: '/' });
    expect((await shell('echo $T')).stdout).toBe('here\n');
  });

  it.each([
    ['an endless loop', 'while :; do :; done'],
    ['a pipe of programs', 'yes | while read x; do :; done'],
  ])('interrupts %s', async (_what, command) => {
    await shell('T=here');
    expect(await shell(command, { timeoutMs: 300 })).toMatchObject({ timed_out: true, restarted: false });
    expect((await shell('echo $T')).stdout).toBe('here\n');
  });

  it('loses a session that will not be interrupted, but goes on in its folder', async () => {
    await shell('cd /var', { session: 'stubborn' });
    const late = await shell("trap '' INT TERM; while :; do sleep 0.05; done", {
      session: 'stubborn',
      timeoutMs: 300,
    });
    expect(late).toMatchObject({ timed_out: true, restarted: true });
    expect((await shell('pwd', { session: 'stubborn' })).stdout).toBe('/var\n');
  });

  it('takes along at the limit what the command started, and leaves jobs of earlier ones', async () => {
    const session = { session: 'jobs' };
    const earlier = Number((await shell('sleep 63 & echo $!', session)).stdout);
    const looping = Number((await shell('(while :; do sleep 0.1; done) & echo $!', session)).stdout);
    const late = await shell(
      'sleep 64 & echo $!; setsid sleep 65 & echo $!; (while :; do sleep 0.1; done) & echo $!; (setsid sleep 66 & echo $!); sleep 67',
      { ...session, timeoutMs: 500 },
    );
    const pids = late.stdout.trim().split('\n').map(Number);
    expect(pids).toHaveLength(4);
    await vi.waitFor(() => expect(pids.filter(runs)).toEqual([]));
    expect([earlier, looping].map(runs)).toEqual([true, true]);
    process.kill(earlier);
    process.kill(looping);
  });

  it('ends a command whose call is aborted, and keeps the session', async () => {
    await shell('A=1', { session: 'aborted' });
    const controller = new AbortController();
    const options: OutputOptions = {
      signal: controller.signal,
      onOutput: () => controller.abort(new Error('stop')),
    };
    const running = used.sandbox.shell({ command: 'echo go; sleep 60', session: 'aborted' }, options);
    await expect(running).rejects.toThrow('stop');
    expect((await shell('echo $A', { session: 'aborted' })).stdout).toBe('1\n');
  });

  it('runs the commands of one session after another, and sessions side by side', async () => {
    const began = performance.now();
    const [slow, next, other] = await Promise.all([
      shell('sleep 0.5; Q=1; echo slow', { session: 'queue' }),
      shell('echo next$Q', { session: 'queue' }),
      shell('echo other', { session: 'beside' }).then((ended) => ({
        ...ended,
        at: performance.now() - began,
      })),
    ]);
    expect([slow.stdout, next.stdout, other.stdout]).toEqual(['slow\n', 'next1\n', 'other\n']);
    expect(other.at).toBeLessThan(slow.duration_ms + 400);
  });

  it('gives the session the variables that it is made with', async () => {
    const output = collect();
    await used.sandbox.shell({ command: 'echo $SECRET', session: 'env', env: { SECRET: 's' } }, output);
    await used.sandbox.shell({ command: 'exit', session: 'env' });
    await used.sandbox.shell({ command: 'echo $SECRET', session: 'env' }, output);
    expect(output.stdout).toBe('s\ns\n');
  });

  it('can be signalled by the id of the command', async () => {
    const running = shell('sleep 60; echo after', { session: 'signalled' });
    const listed = await vi.waitFor(async () => {
      const found = (await used.sandbox.processes()).find(({ command }) =>
        command.startsWith('sleep 60; echo'),
      );
      expect(found).toBeDefined();
      return found;
    });
    await used.sandbox.signal(listed?.id ?? '', 'SIGTERM');
    expect(await running).toMatchObject({ stdout: 'after\n' });
  });

  it('refuses NUL in a command', async () => {
    await expect(shell('echo a\0b')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
