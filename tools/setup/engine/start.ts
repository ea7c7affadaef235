import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { SetupError, say, step } from '../output.ts';
import { runProgram } from '../program.ts';
import { type Engine, findEngine } from './find.ts';

const LOG = '/var/log/dockerd.log';
const DAEMON = '/usr/sbin/dockerd';
const START_MS = 60_000;
const POLL_MS = 200;

export const daemonInstalled = (): boolean => existsSync(DAEMON) || existsSync('/usr/bin/dockerd');

/** Starts an installed Docker daemon as root and waits until it answers. @throws SetupError with the end of its log. */
export async function startDaemon(): Promise<Engine> {
  return step('Starting the Docker daemon', async () => {
    if (existsSync('/run/systemd/system')) {
      await runProgram(['systemctl', 'start', 'docker']);
      return answering(() => undefined);
    }
    // Without systemd nobody starts or mends it: it runs on by itself, like the service that it is.
    try {
      return await launch([]);
    } catch (error) {
      if (!(error instanceof SetupError) || !/iptables|nftables|bridge/i.test(error.message)) throw error;
      // Sandboxes have no network: an engine without one serves as well.
      say('  it could not set up its network, which sandboxes do not use: starting it without');
      return launch(['--bridge=none', '--iptables=false', '--ip6tables=false']);
    }
  });
}

async function launch(flags: string[]): Promise<Engine> {
  const log = openSync(LOG, 'w');
  const program = existsSync(DAEMON) ? DAEMON : '/usr/bin/dockerd';
  const daemon = spawn(program, flags, { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  daemon.unref();
  return answering(() => daemon.exitCode ?? daemon.signalCode ?? undefined);
}

async function answering(ended: () => number | string | undefined): Promise<Engine> {
  const limit = performance.now() + START_MS;
  for (;;) {
    const { engine } = await findEngine();
    if (engine) return engine;
    const end = ended();
    if (end !== undefined)
      throw new SetupError(`dockerd ended at once (${end}). The end of ${LOG}:\n${logTail()}`);
    if (performance.now() > limit) {
      throw new SetupError(
        `dockerd gave no answer within ${START_MS / 1000} s. The end of ${LOG}:\n${logTail()}`,
      );
    }
    await wait(POLL_MS);
  }
}

function logTail(): string {
  if (!existsSync(LOG)) return '  (there is none; try: journalctl -u docker)';
  const lines = readFileSync(LOG, 'utf8').trimEnd().split('\n').slice(-15);
  return lines.map((line) => `  ${line}`).join('\n');
}
