import Docker from 'dockerode';
import { defaultImage } from '../../src/sandbox/image.ts';
import { testDriver } from './engines.ts';

/** Whatever the tests need must be there before the first of them: missing parts fail the run, not its tests one by one. */
export default async function setup(): Promise<void> {
  const image = process.env.SANDBOX_IMAGE ?? defaultImage();
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    const { ready, detail } = await testDriver('oci').check();
    if (!ready) throw new Error(`Expected the engine oci; found: ${detail} Run \`npm test\`.`);
  }
  try {
    await new Docker().getImage(image).inspect();
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Expected a Docker engine with the image ${image}; found: ${found}. Run \`npm test\`, which makes both.`,
    );
  }
}
