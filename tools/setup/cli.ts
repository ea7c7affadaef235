import { join } from 'node:path';
import { handOver } from './program.ts';
import { ROOT } from './root.ts';

/** Runs the project's command line from its sources; resolves with its exit code. */
export function runCli(args: string[], env?: NodeJS.ProcessEnv): Promise<number> {
  return handOver([process.execPath, join(ROOT, 'src/cli/main.ts'), ...args], env);
}
