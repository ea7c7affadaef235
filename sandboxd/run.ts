import { mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon } from './daemon.ts';
import { Desktop } from './desktop/desktop.ts';
import { serveEgress } from './egress/serve-egress.ts';
import { Kernels } from './kernel/kernels.ts';
import { Environment } from './process/environment.ts';
import { Pipes } from './process/pipes.ts';
import { ProcessTable } from './process/table.ts';
import { listenOn } from './serve/listen.ts';
import { serveCalls } from './serve/serve-calls.ts';
import { readSettings } from './settings.ts';
import { Sessions } from './shell/sessions.ts';
import { Terminals } from './terminal/terminals.ts';

/** Signals that an agent's `pkill` may send to whatever it finds; the sandbox ends by its engine alone. */
const IGNORED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const;

/** Starts sandboxd; it ends by a signal alone. */
export function run(): void {
  start().catch((error: Error) => {
    process.stderr.write(`sandboxd cannot start: ${error.stack}\n`);
    process.exit(1);
  });
}

async function start(): Promise<void> {
  process.title = 'sandboxd';
  for (const signal of IGNORED) process.on(signal, () => {});
  // A fault in one call must not end what the others run.
  process.on('uncaughtException', (error) => process.stderr.write(`sandboxd: ${error.stack}\n`));

  const settings = readSettings(process.env);
  mkdirSync(settings.run, { recursive: true, mode: 0o700 });
  const egress = await serveEgress(settings);
  const ground = {
    pipes: new Pipes(join(settings.run, 'pipes')),
    environment: new Environment(process.env, settings.caBundle, egress.port),
    workspace: settings.workspace,
  };
  const sessions = new Sessions(ground, join(settings.run, 'shell'));
  const desktop = new Desktop(ground.environment, settings);
  const daemon: Daemon = {
    ...ground,
    settings,
    processes: new ProcessTable(),
    sessions,
    desktop,
    kernels: new Kernels(ground, join(settings.run, 'kernels'), settings.kernels),
    terminals: new Terminals(ground),
  };
  await listenOn(egress.server, settings.egressSocket);
  await listenOn(serveCalls(daemon), settings.apiSocket);
  await desktop.offer().catch(() => {});
  await ground.pipes.refill().catch(() => {});
  // Makes Node.js start its threads now: it gives up when it cannot, under the process limit, say.
  await stat(settings.run);
}
