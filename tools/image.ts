/** Makes the sandbox image if it is not there, and prints its tag. */
import { ensureEngine } from './setup/engine/engine.ts';
import { ensureImage } from './setup/image/image.ts';
import { runCommand } from './setup/output.ts';

await runCommand(async () => {
  const { docker } = await ensureEngine();
  process.stdout.write(`${await ensureImage(docker)}\n`);
  return 0;
});
