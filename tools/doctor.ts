/** Says what is there and what is not; changes nothing. */
import { runCli } from './setup/cli.ts';
import { findEngine } from './setup/engine/find.ts';
import { runCommand } from './setup/output.ts';

await runCommand(async () => {
  const { engine } = await findEngine();
  const env = engine?.host ? { ...process.env, DOCKER_HOST: engine.host } : process.env;
  return runCli(['doctor', ...process.argv.slice(2)], env);
});
