import { platform } from 'node:os';
import { SetupError } from '../output.ts';
import { type Attempt, type Engine, findEngine } from './find.ts';
import { canInstallPackages } from './host.ts';
import { installPackages } from './packages.ts';
import { daemonInstalled, startDaemon } from './start.ts';

/**
 * An engine that answers: one that runs, else an installed one started, else (Debian or Ubuntu, as root) one installed.
 * @throws SetupError that lists what was looked for and what to install
 */
export async function ensureEngine(): Promise<Engine> {
  const { engine, attempts } = await findEngine();
  if (engine) return engine;
  // Somebody named an engine: a second one beside it would surprise.
  if (process.env.DOCKER_HOST) throw notFound(attempts);
  if (daemonInstalled() && process.getuid?.() === 0) return startDaemon();
  if (!canInstallPackages()) throw notFound(attempts);
  await installPackages(['docker.io', 'iptables', 'ca-certificates']);
  // The package itself may have started it.
  return (await findEngine()).engine ?? startDaemon();
}

function notFound(attempts: Attempt[]): SetupError {
  return new SetupError(
    [
      'No Docker engine answers. Looked for:',
      ...attempts.map(({ name, problem }) => `  ${name}: ${problem}`),
      advice(),
    ].join('\n'),
  );
}

function advice(): string {
  if (process.env.DOCKER_HOST) return 'Start that engine, or unset DOCKER_HOST to have others looked for.';
  if (platform() === 'darwin')
    return 'Install and start Docker Desktop or Colima (brew install colima docker).';
  if (daemonInstalled()) return 'Docker is installed: start it (sudo systemctl start docker).';
  return 'Install Docker (https://docs.docker.com/engine/install/), or run this as root on Debian or Ubuntu.';
}
