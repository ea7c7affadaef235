/** Says what is there and what is not; changes nothing. */
import { readConfig } from '../src/config.ts';
import { checkHost } from '../src/sandbox/oci/check.ts';
import { ociStore } from '../src/sandbox/oci/store.ts';
import { runCli } from './setup/cli.ts';
import { findEngine } from './setup/engine/find.ts';
import { runCommand } from './setup/output.ts';

await runCommand(async () => {
  // An engine that is not at the usual place counts only where Docker would be taken.
  const own =
    process.env.SANDBOX_DRIVER !== 'docker' && (await checkHost(ociStore(readConfig(process.env)))).ready;
  const { engine } = own ? { engine: undefined } : await findEngine();
  const env = engine?.host ? { ...process.env, DOCKER_HOST: engine.host } : process.env;
  return runCli(['doctor', ...process.argv.slice(2)], env);
});
