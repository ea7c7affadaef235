/** Makes the sandbox image, if it is not there, for every engine that this machine can run; prints its name. */
import { defaultImage } from '../src/sandbox/image.ts';
import { runCommand } from './setup/output.ts';
import { setUpAll } from './setup/setup.ts';

await runCommand(async () => {
  await setUpAll();
  process.stdout.write(`${process.env.SANDBOX_IMAGE ?? defaultImage()}\n`);
  return 0;
});
