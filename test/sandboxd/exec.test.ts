import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { collect, runs, useSandbox } from './support.ts';

const used = useSandbox();

describe('exec', () => {
  it('gives stdout, stderr and the exit code apart', async () => {
    const output = collect();
    const ended = await used.sandbox.exec({ shell: 'echo out; echo err >&2; exit 3' }, output);
    expect(output).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    expect(ended).toMatchObject({ exit_code: 3, signal: null, timed_out: false, oom_killed: false });
  });

  it('runs argv as it is, in a folder, with variables', async () => {
    const output = collect();
    await used.sandbox.exec(
      { argv: ['bash', '-c', 'pwd; echo "$GIVEN $1"', 'x', '$HOME;'], cwd: '/tmp', env: { GIVEN: 'a b' } },
      output,
    );
    expect(output.stdout).toBe('/tmp\na b $HOME;\n');
  });

  it('tells which signal ended it', async () => {
    expect(await used.sandbox.exec({ shell: 'kill -SEGV $$' })).toMatchObject({
      exit_code: null,
      signal: 'SIGSEGV',
    });
  });

  it.each([
    ['COMMAND_NOT_FOUND', { argv: ['no-such-program'] }],
    ['COMMAND_NOT_FOUND', { argv: ['/no/such/program'] }],
    ['PATH_NOT_FOUND', { argv: ['true'], cwd: '/no/such/folder' }],
    ['NOT_A_DIRECTORY', { argv: ['true'], cwd: '/etc/hostname' }],
    ['INVALID_ARGUMENT', { argv: ['echo', 'a\0b'] }],
    ['INVALID_ARGUMENT', { argv: ['true'], shell: 'true' }],
    ['INVALID_ARGUMENT', {}],
    ['INVALID_ARGUMENT', { argv: [] }],
  ])('says %s for %j', async (code, request) => {
    await expect(used.sandbox.exec(request)).rejects.toMatchObject({ code });
  });

  it('says what is wrong with a program that may not be run, or is given too much', async () => {
    await used.sandbox.write('plain', 'text');
    const plain = { argv: [join(used.local.workspace, 'plain')] };
    await expect(used.sandbox.exec(plain)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const long = { argv: ['echo', 'x'.repeat(4_000_000)] };
    await expect(used.sandbox.exec(long)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('gives stdin, to its end', async () => {
    const output = collect();
    await used.sandbox.exec(
      { argv: ['wc', '-c'], stdin: from(Array(40).fill(Buffer.alloc(100_000))) },
      output,
    );
    expect(output.stdout.trim()).toBe('4000000');
  });

  it('gives an empty stdin where none is given', async () => {
    const output = collect();
    await used.sandbox.exec({ argv: ['cat'] }, output);
    await used.sandbox.exec({ argv: ['cat'], stdin: Buffer.alloc(0) }, output);
    expect(output.stdout).toBe('');
  });

  it('does not wait for stdin that the process does not read', async () => {
    const endless = async function* () {
      for (;;) yield Buffer.alloc(65_536);
    };
    expect(await used.sandbox.exec({ shell: 'exec 0<&-; exit 5', stdin: endless() })).toMatchObject({
      exit_code: 5,
    });
  });

  it('fails with what the source of stdin fails with, and ends the process', async () => {
    const failing = async function* () {
      yield Buffer.from('a');
      throw new Error('the source broke');
    };
    await expect(used.sandbox.exec({ argv: ['cat'], stdin: failing() })).rejects.toThrow('the source broke');
    await vi.waitFor(async () => expect(await used.sandbox.processes()).toEqual([]));
  });

  it('keeps every byte of a large binary output', async () => {
    const hash = createHash('sha256');
    let bytes = 0;
    const script = 'head -c 10000000 /dev/urandom | tee >(sha256sum >&2)';
    let sum = '';
    await used.sandbox.exec(
      { shell: script },
      {
        onOutput(stream, chunk) {
          if (stream === 'stderr') sum += chunk.toString();
          else {
            bytes += chunk.length;
            hash.update(chunk);
          }
        },
      },
    );
    expect(bytes).toBe(10_000_000);
    expect(sum.slice(0, 64)).toBe(hash.digest('hex'));
  });

  it('lets programs open /dev/stdout and /dev/stderr, as on a terminal', async () => {
    const output = collect();
    await used.sandbox.exec({ shell: 'echo a >/dev/stdout; echo b | tee /dev/stderr >/dev/null' }, output);
    expect(output).toMatchObject({ stdout: 'a\n', stderr: 'b\n' });
  });

  it('holds a process back whose output nobody takes, and holds no more than a little of it', async () => {
    const before = memory();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let bytes = 0;
    const running = used.sandbox.exec(
      { shell: 'head -c 200000000 /dev/zero; echo done >&2' },
      {
        async onOutput(_stream, chunk) {
          if (bytes === 0) await held;
          bytes += chunk.length;
        },
      },
    );
    const [process] = await vi.waitFor(async () => {
      const all = await used.sandbox.processes();
      expect(all[0]?.stdout_bytes).toBeGreaterThan(100_000);
      return all;
    });
    expect(process?.stdout_bytes).toBeLessThan(8_000_000);
    release();
    await running;
    expect(bytes).toBe(200_000_005);
    expect(memory() - before).toBeLessThan(60_000_000);
  });

  it('does not wait for what is left in the background, and has all that the process itself printed', async () => {
    const output = collect();
    const ended = await used.sandbox.exec({ shell: 'sleep 60 & seq 1 20000; echo $! >&2' }, output);
    const pid = Number(output.stderr);
    expect(ended.duration_ms).toBeLessThan(5_000);
    expect(output.stdout.trim().split('\n')).toHaveLength(20_000);
    expect(runs(pid)).toBe(true);
    process.kill(pid);
  });

  it('waits a moment for the output of what still writes for a process that has ended', async () => {
    const output = collect();
    await used.sandbox.exec({ shell: 'echo late > >(cat; cat)' }, output);
    expect(output.stdout).toBe('late\n');
  });

  it('does not break a background process that prints after the call', async () => {
    const output = collect();
    await used.sandbox.exec(
      { shell: '(sleep 0.4; for i in $(seq 5000); do echo $i; done) & echo $!' },
      output,
    );
    const pid = Number(output.stdout);
    // A closed pipe would end it by SIGPIPE; an unread one would hold it for ever.
    await vi.waitFor(() => expect(runs(pid)).toBe(false), { timeout: 10_000 });
  });

  describe('at its time limit', () => {
    it('ends, and gives what was printed until then', async () => {
      const output = collect();
      const ended = await used.sandbox.exec(
        { shell: 'echo before; sleep 60; echo after', timeoutMs: 300 },
        output,
      );
      expect(ended).toMatchObject({ timed_out: true, exit_code: null, signal: 'SIGTERM' });
      expect(output.stdout).toBe('before\n');
      expect(ended.duration_ms).toBeLessThan(5_000);
    });

    it('is killed where it ignores being asked', async () => {
      const ended = await used.sandbox.exec({
        shell: "trap '' TERM; while :; do sleep 0.1; done",
        timeoutMs: 200,
      });
      expect(ended).toMatchObject({ timed_out: true, signal: 'SIGKILL' });
    });

    it.each([
      ['in the background', 'sleep 61 & echo $!; wait'],
      ['in another session', 'setsid sleep 61 & echo $!; wait'],
      ['handed to init', '(setsid sh -c "sleep 61 & echo \\$!" &); sleep 60'],
      [
        'twice removed, ignoring signals',
        `(setsid bash -c "trap '' TERM INT HUP; (trap '' TERM; echo \\$BASHPID; while :; do sleep 0.2; done) & " &); sleep 60`,
      ],
      ['without its environment', 'env -i setsid sleep 61 & echo $!; sleep 60'],
      ['stopped', 'sleep 61 & echo $!; kill -STOP $!; sleep 60'],
    ])('takes along what runs %s', async (_where, shell) => {
      const output = collect();
      const ended = await used.sandbox.exec({ shell, timeoutMs: 600 }, output);
      expect(ended.timed_out).toBe(true);
      const pid = Number(output.stdout);
      expect(pid).toBeGreaterThan(1);
      await vi.waitFor(() => expect(runs(pid)).toBe(false));
    });

    it('takes along a process that starts others all the time', async () => {
      const file = join(used.local.workspace, 'alive');
      // One at a time, and none once the folder is gone: nothing limits processes here, should it get away.
      const shell = `f() { [ -d ${used.local.workspace} ] || exit; (echo > ${file}; sleep 0.02; f) & }; f; sleep 60`;
      const ended = await used.sandbox.exec({ shell, timeoutMs: 300 });
      expect(ended.timed_out).toBe(true);
      rmSync(file, { force: true });
      await delay(300);
      expect(existsSync(file)).toBe(false);
    });
  });

  it('ends at once when it is aborted, and its tree with it', async () => {
    const controller = new AbortController();
    const output = collect();
    const running = used.sandbox.exec(
      { shell: 'setsid sleep 62 & echo $!; wait' },
      {
        signal: controller.signal,
        onOutput(stream, bytes) {
          output.onOutput?.(stream, bytes);
          controller.abort(new Error('enough'));
        },
      },
    );
    await expect(running).rejects.toThrow('enough');
    await vi.waitFor(() => expect(runs(Number(output.stdout))).toBe(false));
  });

  it('carries many calls at once', async () => {
    const outputs = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const output = collect();
        await used.sandbox.exec({ shell: `echo ${i}; head -c 200000 /dev/zero` }, output);
        return output.stdout;
      }),
    );
    outputs.forEach((stdout, i) => {
      expect(stdout.startsWith(`${i}\n`)).toBe(true);
      expect(stdout.length).toBe(200_000 + `${i}\n`.length);
    });
  });

  it('lets children go before sandboxd when memory runs out', async () => {
    const output = collect();
    await used.sandbox.exec(
      { shell: 'cat /proc/self/oom_score_adj; (cat /proc/self/oom_score_adj)' },
      output,
    );
    const own = Number(readFileSync(`/proc/${used.local.pid}/oom_score_adj`, 'utf8'));
    const scores = output.stdout.trim().split('\n').map(Number);
    expect(Math.min(...scores)).toBeGreaterThan(own);
  });

  it('sets the way out and the certificates for programs', async () => {
    const output = collect();
    await used.sandbox.exec({ shell: 'env' }, output);
    expect(output.stdout).toMatch(/^https_proxy=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(output.stdout).toMatch(/^NO_PROXY=localhost,127\.0\.0\.1,::1$/m);
    expect(output.stdout).toMatch(/^NODE_USE_ENV_PROXY=1$/m);
    expect(output.stdout).not.toMatch(/^SANDBOXD_|SSL_CERT_FILE/m);
    const bundle = `${used.local.folder}/run/ca-certificates.crt`;
    await used.sandbox.write(bundle, 'certificates');
    await used.sandbox.exec({ shell: 'env' }, output);
    expect(output.stdout).toContain(`SSL_CERT_FILE=${bundle}\n`);
    expect(output.stdout).toContain(`NODE_EXTRA_CA_CERTS=${bundle}\n`);
  });
});

async function* from(chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

const memory = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${used.local.pid}/status`, 'utf8'))?.[1]) * 1_024;
