import { describe, expect, vi } from 'vitest';
import { connectSandbox } from '../../src/sandbox/connection/connect-sandbox.ts';
import type { Driver } from '../../src/sandbox/driver.ts';
import { reconcile } from '../../src/sandbox/reconcile.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { attachSandbox, startSandbox } from '../../src/sandbox/start.ts';
import { silent } from '../support/engines.ts';
import { testInstallation } from '../support/run-id.ts';
import { run, startOptions, startTestSandbox, testSpec } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

const ids = async (driver: Driver, installation: string) =>
  (await driver.list(installation)).map(({ handle }) => handle.id);

/** sandboxd's sockets, and the programs inside that carry a channel where the driver has a relay. */
const CONNECTIONS = `ls -l /proc/$(pgrep -o -x sandboxd)/fd | grep -c socket:; pgrep -c -x socat || true`;

/** How many there are of a sandbox that is connected: for calls, and for egress, which comes up beside them. */
async function settled(sandbox: Sandbox): Promise<string> {
  const denied = `curl -s -o /dev/null -w '%{http_code}' http://denied.invalid/`;
  await vi.waitFor(async () => expect((await run(sandbox, denied)).stdout).toBe('403'), 10_000);
  let last = '';
  return vi.waitFor(async () => {
    const before = last;
    last = (await run(sandbox, CONNECTIONS)).stdout;
    expect(last).toBe(before);
    return last;
  }, 10_000);
}

export function livesAndDies(engine: Engine, check: Case): void {
  describe('life', () => {
    check('is ready, and says of what it consists', async () => {
      const state = await engine.makeDriver().check();
      expect(state.ready, state.detail).toBe(true);
      expect(state.detail.split('\n')).toHaveLength(1);
    });

    check('makes a sandbox that runs commands, and says so in time', async () => {
      const { sandbox, startMs, handle } = await startTestSandbox({ driver: engine.makeDriver() });
      const ended = await run(sandbox, 'echo out; echo err >&2; exit 3');
      expect(ended).toMatchObject({ exit_code: 3, stdout: 'out\n', stderr: 'err\n' });
      expect(startMs).toBeGreaterThan(0);
      expect(handle).toEqual({ driver: engine.name, id: sandbox.id, ref: expect.any(String) });
    });

    check('gives a handle of plain JSON that any process can use', async () => {
      const first = await startTestSandbox({ driver: engine.makeDriver() });
      await run(first.sandbox, 'echo kept >kept');
      const handle = JSON.parse(JSON.stringify(first.handle));
      const second = await attachSandbox(handle, await startOptions(engine.makeDriver()));
      expect((await run(second.sandbox, 'cat kept')).stdout).toBe('kept\n');
      await second.release();
    });

    check('keeps processes and files over a connection that is cut and made again', async () => {
      const driver = engine.makeDriver();
      const first = await startTestSandbox({ driver });
      const { id } = await first.sandbox.spawn({ shell: 'echo before; sleep 600' });
      await first.release();
      const sandbox = await connectSandbox(driver, first.handle, { egress: (channel) => channel.destroy() });
      const processes = await sandbox.processes();
      expect(processes.find((process) => process.id === id)?.ended).toBeNull();
      await sandbox.close();
    });

    check('leaves no connection or relay behind inside when streams are cut', async () => {
      const driver = engine.makeDriver();
      const { sandbox, handle } = await startTestSandbox({ driver });
      const before = await settled(sandbox);
      for (let i = 0; i < 8; i++) (await driver.connect(handle, 'api')).on('error', () => {}).destroy();
      const writing = await driver.connect(handle, 'api');
      writing.on('error', () => {}).write(Buffer.alloc(1_000_000));
      writing.destroy();
      await vi.waitFor(async () => expect((await run(sandbox, CONNECTIONS)).stdout).toBe(before), 10_000);
    });

    check('leaves no connection or relay behind when connecting is aborted, at any stage', async () => {
      const driver = engine.makeDriver();
      const { sandbox, handle } = await startTestSandbox({ driver });
      const before = await settled(sandbox);
      for (const delay of [0, 1, 2, 4, 8, 16]) {
        const signal = AbortSignal.timeout(delay);
        await driver.connect(handle, 'api', signal).then(
          (stream) => stream.on('error', () => {}).destroy(),
          (error) => expect(error).toBe(signal.reason),
        );
      }
      await vi.waitFor(async () => expect((await run(sandbox, CONNECTIONS)).stdout).toBe(before), 10_000);
    });

    check('fails a stream, and never ends it, when the sandbox goes', async () => {
      const driver = engine.makeDriver();
      const { handle } = await startTestSandbox({ driver });
      const stream = await driver.connect(handle, 'api');
      let ended = false;
      stream.once('end', () => {
        ended = true;
      });
      const failed = new Promise((resolve) => stream.once('error', resolve));
      stream.resume();
      await driver.destroy(handle);
      expect(await failed).toMatchObject({ code: 'CONNECTION_LOST' });
      expect(ended).toBe(false);
    });
  });

  describe('end', () => {
    check(
      'leaves nothing when the start is aborted, at any stage',
      async () => {
        const options = await startOptions(engine.makeDriver());
        const installation = testInstallation();
        for (const delay of [0, 1, 5, 20, 50, 90, 130, 170, 210, 250, 300]) {
          const signal = AbortSignal.timeout(delay);
          const started = await startSandbox(testSpec({ installation }), options, signal).catch((error) => {
            expect(error).toBe(signal.reason);
          });
          await started?.destroy();
          expect(await ids(options.driver, installation), `aborted after ${delay} ms`).toEqual([]);
        }
      },
      60_000,
    );

    check('does not start when it is aborted before', async () => {
      const driver = engine.makeDriver();
      const spec = testSpec();
      await expect(driver.create(spec, AbortSignal.abort('early'))).rejects.toBe('early');
      expect(await ids(driver, spec.installation)).toEqual([]);
    });

    check('leaves the first alone when a second of the same id is asked for', async () => {
      const driver = engine.makeDriver();
      const spec = testSpec();
      const { sandbox } = await startTestSandbox({ ...spec, driver });
      await expect(driver.create(spec)).rejects.toMatchObject({ code: 'SANDBOX_START_FAILED' });
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    check('destroys it with everything that runs in it, once or often', async () => {
      const driver = engine.makeDriver();
      const { sandbox, handle } = await startTestSandbox({ driver });
      const running = sandbox.exec({ shell: 'trap "" TERM HUP INT; sleep 600' });
      running.catch(() => {});
      await sandbox.spawn({ shell: 'setsid sleep 600 & sleep 600' });
      await Promise.all([driver.destroy(handle), driver.destroy(handle), driver.destroy(handle)]);
      await driver.destroy(handle);
      await expect(running).rejects.toMatchObject({ code: expect.stringMatching(/_LOST$/) });
      expect(await sandbox.lost).toEqual(expect.any(String));
    });

    check('says that a sandbox is lost which is gone', async () => {
      const driver = engine.makeDriver();
      const { handle } = await startTestSandbox({ driver });
      await driver.destroy(handle);
      await expect(driver.connect(handle, 'api')).rejects.toMatchObject({ code: 'SANDBOX_LOST' });
      await expect(driver.diskUsage(handle)).rejects.toMatchObject({ code: 'SANDBOX_LOST' });
    });

    check('keeps sandboxd running whatever inside ends it', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver() });
      await run(sandbox, 'kill -9 1; pkill -9 -x sandboxd').catch(() => {});
      await vi.waitFor(async () => expect((await sandbox.hello()).starts).toBe(2), 15_000);
    });

    check('reaps what is left behind inside', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver() });
      await run(sandbox, 'for i in $(seq 50); do (sleep 0.01 &) ; done');
      const zombies = 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l';
      await vi.waitFor(async () => expect((await run(sandbox, zombies)).stdout).toBe('0\n'), 10_000);
    });
  });

  describe('list', () => {
    check("tells an installation's sandboxes, and nobody else's", async () => {
      const driver = engine.makeDriver();
      const [here, there] = [testInstallation(), testInstallation()];
      const began = Date.now() - 2_000;
      const [one, two, other] = await Promise.all([
        startTestSandbox({ driver, installation: here, worker: 'one' }),
        startTestSandbox({ driver, installation: here, worker: 'two' }),
        startTestSandbox({ driver, installation: there }),
      ]);
      const listed = await driver.list(here);
      expect(new Map(listed.map(({ handle, worker }) => [worker, handle]))).toEqual(
        new Map([
          ['one', one.handle],
          ['two', two.handle],
        ]),
      );
      for (const { created } of listed) expect(created.getTime()).toBeGreaterThan(began);
      expect(await ids(driver, there)).toEqual([other.handle.id]);
      expect(await driver.list(testInstallation())).toEqual([]);
    });

    check(
      'has what nobody claims destroyed, and the rest left alone',
      async () => {
        const driver = engine.makeDriver();
        const installation = testInstallation();
        const make = (worker: string) => startTestSandbox({ driver, installation, worker });
        const [mine, held, other, gone, named] = await Promise.all(
          ['me', 'me', 'other', 'gone', 'gone'].map(make),
        );
        const kept = new Set([held?.handle.id, named?.handle.id]);
        const destroyed = await reconcile(driver, {
          installation,
          worker: 'me',
          liveWorkers: async () => new Set(['me', 'other']),
          isKept: ({ id }) => kept.has(id),
          log: silent,
        });
        expect(destroyed.map(({ id }) => id).sort()).toEqual([mine?.handle.id, gone?.handle.id].sort());
        expect((await ids(driver, installation)).sort()).toEqual(
          [held?.handle.id, other?.handle.id, named?.handle.id].sort(),
        );
      },
      60_000,
    );

    check(
      'works for many at once',
      async () => {
        const driver = engine.makeDriver();
        const installation = testInstallation();
        const started = await Promise.all(
          Array.from({ length: 8 }, () =>
            startTestSandbox({ driver, installation, limits: { memory_mb: 256 } }),
          ),
        );
        const said = await Promise.all(started.map(({ sandbox }) => run(sandbox, 'hostname; sleep 0.2')));
        expect(said.every(({ exit_code }) => exit_code === 0)).toBe(true);
        await Promise.all(started.map((each) => each.destroy()));
        expect(await ids(driver, installation)).toEqual([]);
      },
      60_000,
    );
  });
}
