/** Sets up and serves until told to stop. */
import { runCli } from './setup/cli.ts';
import { runCommand } from './setup/output.ts';
import { setUp } from './setup/setup.ts';

await runCommand(async () => {
  const { env } = await setUp();
  return runCli(['serve', ...process.argv.slice(2)], env);
});
