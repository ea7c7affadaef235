/** Sets up and measures; arguments choose which measurements. */
import { join } from 'node:path';
import { runCommand } from './setup/output.ts';
import { handOver } from './setup/program.ts';
import { ROOT } from './setup/root.ts';
import { setUpAll } from './setup/setup.ts';

await runCommand(async () => {
  const { env } = await setUpAll();
  return handOver([process.execPath, join(ROOT, 'bench/main.ts'), ...process.argv.slice(2)], env);
});
