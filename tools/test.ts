/** Sets up and runs the tests; arguments go to vitest. */
import { join } from 'node:path';
import { runCommand } from './setup/output.ts';
import { handOver } from './setup/program.ts';
import { ROOT } from './setup/root.ts';
import { setUpAll } from './setup/setup.ts';

await runCommand(async () => {
  const { env } = await setUpAll();
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  return handOver([process.execPath, vitest, 'run', '--root', ROOT, ...process.argv.slice(2)], env);
});
