import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CALL_OK, encodeJson, FRAME, frameHeader } from '../../src/protocol/frames.ts';
import { Mux } from '../../src/protocol/mux/mux.ts';
import type { MuxStream } from '../../src/protocol/mux/stream.ts';
import { CALLS, PROTOCOL_VERSION } from '../../src/protocol/sandboxd.ts';
import { connectSandbox } from '../../src/sandbox/connection/connect-sandbox.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { LocalSandbox } from './local-sandbox.ts';
import { collect, runs } from './support.ts';

const lost = { code: 'CONNECTION_LOST' };

describe('a connection', () => {
  let local: LocalSandbox;
  let sandbox: Sandbox;
  beforeEach(async () => {
    local = await LocalSandbox.start();
    sandbox = await connectSandbox(local.driver, local.handle);
  });
  afterEach(async () => {
    await sandbox.close();
    await local[Symbol.asyncDispose]();
  });
  const cut = () => {
    for (const { socket } of local.sockets) socket.destroy();
  };

  it('says who answers', async () => {
    expect(await sandbox.hello()).toMatchObject({
      protocol: PROTOCOL_VERSION,
      node: process.version,
      starts: 1,
      rss_bytes: expect.any(Number),
    });
  });

  it.each([
    ['cut', async () => cut()],
    ['left by a sandboxd that was killed', () => local.kill()],
  ])('that is %s fails every call under way, whatever it does', async (_how, end) => {
    await sandbox.write('big', Buffer.alloc(40_000_000));
    const background = await sandbox.spawn({ shell: 'sleep 60' });
    const slow = { onOutput: () => new Promise<void>((resolve) => setTimeout(resolve, 20)) };
    const half = async function* () {
      yield Buffer.alloc(1_000);
      await new Promise(() => {});
    };
    const { bytes } = await sandbox.read('big');
    const calls = [
      sandbox.exec({ shell: 'sleep 60' }),
      sandbox.exec({ shell: 'yes' }, slow),
      sandbox.exec({ argv: ['cat'], stdin: half() }),
      sandbox.shell({ command: 'sleep 60' }),
      sandbox.attach({ id: background.id, follow: true }),
      sandbox.write('half', half()),
      (async () => {
        for await (const _piece of bytes) await slow.onOutput();
      })(),
      (async () => {
        for await (const _piece of sandbox.archive({ root: '.', include: [], exclude: [] }))
          await slow.onOutput();
      })(),
    ].map((call) => expect(call).rejects.toMatchObject(lost));
    await vi.waitFor(async () => expect((await sandbox.processes()).length).toBe(5));
    await end();
    await Promise.all(calls);
  });

  it('that is cut is made again, and ends what ran in its foreground alone', async () => {
    await sandbox.shell({ command: 'KEPT=1' });
    const background = await sandbox.spawn({ shell: 'echo still; sleep 60' });
    const output = collect();
    const foreground = sandbox.exec({ shell: 'setsid sleep 60 & echo $!; wait' }, output);
    const failed = expect(foreground).rejects.toMatchObject(lost);
    await vi.waitFor(() => expect(output.stdout).not.toBe(''));
    cut();
    await failed;
    await vi.waitFor(() => expect(runs(Number(output.stdout))).toBe(false));
    expect(runs(background.pid)).toBe(true);
    const after = collect();
    await sandbox.shell({ command: 'echo $KEPT' }, after);
    await sandbox.attach({ id: background.id }, after);
    expect(after.stdout).toBe('1\nstill\n');
  });

  it('finds a sandboxd that was killed and started again, its sockets left behind', async () => {
    await local.kill();
    local.restart();
    expect((await sandbox.hello()).starts).toBe(2);
    expect(await sandbox.exec({ argv: ['true'] })).toMatchObject({ exit_code: 0 });
  });

  it('is lost for good once the driver says so', async () => {
    const running = expect(sandbox.exec({ shell: 'sleep 60' })).rejects.toMatchObject(lost);
    await vi.waitFor(async () => expect(await sandbox.processes()).toHaveLength(1));
    local.declareGone();
    cut();
    expect(await sandbox.lost).toBe('It is gone.');
    await running;
    await expect(sandbox.hello()).rejects.toMatchObject({ code: 'SANDBOX_LOST' });
  });

  it('to a peer that hangs is noticed', { timeout: 60_000 }, async () => {
    process.kill(local.pid, 'SIGSTOP');
    try {
      await expect(sandbox.hello()).rejects.toMatchObject(lost);
    } finally {
      process.kill(local.pid, 'SIGCONT');
    }
    expect(await sandbox.hello()).toMatchObject({ starts: 1 });
  });

  it('leaves nothing behind when it is closed', async () => {
    await sandbox.exec({ argv: ['true'] });
    const running = expect(sandbox.exec({ shell: 'sleep 60' })).rejects.toMatchObject(lost);
    await vi.waitFor(async () => expect(await sandbox.processes()).toHaveLength(1));
    await sandbox.close();
    await running;
    await expect(sandbox.hello()).rejects.toMatchObject(lost);
    expect(local.sockets.every(({ socket }) => socket.destroyed)).toBe(true);
    expect(process.getActiveResourcesInfo()).not.toContain('TCPSocketWrap');
  });

  it('carries hundreds of calls without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    await Promise.all(Array.from({ length: 300 }, () => sandbox.stat('.')));
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('does not suffer from others, or from what they send', async () => {
    const path = join(local.folder, 'run', 'api.sock');
    const garbage = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(100_000, 0xff), Buffer.alloc(0)];
    for (const bytes of garbage) {
      const socket = connect(path);
      socket.on('error', () => {});
      socket.end(bytes);
      await new Promise<void>((resolve) => socket.resume().once('close', () => resolve()));
    }
    const others = await Promise.all(
      Array.from({ length: 20 }, () => connectSandbox(local.driver, local.handle)),
    );
    await Promise.all(others.map((other) => other.exec({ argv: ['true'] })));
    await Promise.all(others.map((other) => other.close()));
    expect(await sandbox.hello()).toMatchObject({ starts: 1 });
  });

  it('keeps sandboxd alive through signals that an agent sends about', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
      process.kill(local.pid, signal);
    expect(await sandbox.hello()).toMatchObject({ starts: 1 });
    expect(readFileSync(`/proc/${local.pid}/comm`, 'utf8')).toBe('sandboxd\n');
  });
});

describe('connecting', () => {
  const handle = { driver: 'test', id: 'test', ref: 'test' };

  it('ends at once when it is aborted', async () => {
    const [inside] = duplexPair();
    const controller = new AbortController();
    const connecting = connectSandbox({ connect: async () => inside }, handle, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
    expect(inside.destroyed).toBe(true);
  });

  /** A peer in sandboxd's place that answers hello as it should and all else as it likes. */
  function connectTo(answer: (stream: MuxStream) => void, protocol = PROTOCOL_VERSION) {
    return connectSandbox(
      {
        connect: async () => {
          const [inside, outside] = duplexPair();
          new Mux(outside, {
            accept: (stream, path) => {
              stream.resume();
              if (path !== CALLS.hello) return answer(stream);
              stream.write(
                encodeJson({ protocol, version: '1', node: 'v1', uptime_ms: 1, starts: 1, rss_bytes: 1 }),
              );
              stream.finish(CALL_OK);
            },
          });
          return inside;
        },
      },
      handle,
    );
  }
  const answerWith =
    (body: Buffer, lastWord: string | null) =>
    (stream: MuxStream): void => {
      stream.write(body);
      if (lastWord === null) stream.write('', () => stream.destroy());
      else stream.finish(lastWord);
    };
  const ended = {
    event: 'ended',
    exit_code: 0,
    signal: null,
    timed_out: false,
    oom_killed: false,
    duration_ms: 1,
  };
  it('refuses a daemon of another version', async () => {
    await expect(connectTo(() => {}, 99)).rejects.toMatchObject({ code: 'SANDBOX_START_FAILED' });
  });

  it.each([
    ['without a last word, after what looks like an end', encodeJson(ended), '', 'CONNECTION_LOST'],
    ['that ends before its time', encodeJson(ended), null, 'CONNECTION_LOST'],
    ['that is empty', Buffer.alloc(0), CALL_OK, 'CONNECTION_LOST'],
    ['in the middle of a frame', encodeJson(ended).subarray(0, 9), CALL_OK, 'CONNECTION_LOST'],
    ['of another shape', encodeJson({ event: 'ended', exit_code: 'x' }), CALL_OK, 'CONNECTION_LOST'],
    [
      'of broken JSON',
      Buffer.concat([frameHeader(FRAME.json, 1), Buffer.from('{')]),
      CALL_OK,
      'CONNECTION_LOST',
    ],
    ['of too much', frameHeader(FRAME.json, 0xffff_ffff), CALL_OK, 'CONNECTION_LOST'],
    [
      'with an error',
      Buffer.alloc(0),
      JSON.stringify({ code: 'NO_SPACE', message: 'm', hint: 'h' }),
      'NO_SPACE',
    ],
    [
      "with an error that is not a sandbox's to give",
      Buffer.alloc(0),
      JSON.stringify({ code: 'JOB_TIMEOUT', message: 'm', hint: 'h' }),
      'INTERNAL',
    ],
    ['with an error of no shape', Buffer.alloc(0), JSON.stringify({ code: 'NONE' }), 'INTERNAL'],
    ['with an unknown last word', encodeJson(ended), 'fine', 'INTERNAL'],
  ])('takes an answer %s for what it is', async (_what, body, lastWord, code) => {
    const sandbox = await connectTo(answerWith(body, lastWord));
    await expect(sandbox.exec({ argv: ['true'] })).rejects.toMatchObject({ code });
    await sandbox.close();
  });
});
