/** Sets up and shows the whole way of a job: the example runbook, or the prompt that is given. */
import { runCli } from './setup/cli.ts';
import { runCommand } from './setup/output.ts';
import { setUp } from './setup/setup.ts';

await runCommand(async () => {
  const { env } = await setUp();
  return runCli(['demo', ...process.argv.slice(2)], env);
});
