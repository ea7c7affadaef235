/** Makes a sandbox from the spec that is its argument, for a test that kills it meanwhile. */
import { testDriver } from '../support/engines.ts';

const driver = testDriver('oci');
process.stdout.write('begins\n');
const handle = await driver.create(JSON.parse(process.argv[2] ?? ''));
process.stdout.write('made\n');
if (process.argv[3] === 'snapshot') await driver.snapshot(handle);
process.stdout.write('done\n');
setInterval(() => {}, 1_000);
