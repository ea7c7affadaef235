/** Mends what the formatter and the linter's safe fixes can. */
import { join } from 'node:path';
import { runCommand } from './setup/output.ts';
import { handOver } from './setup/program.ts';
import { ROOT } from './setup/root.ts';

await runCommand(() => {
  const paths = process.argv.slice(2);
  const biome = join(ROOT, 'node_modules/.bin/biome');
  return handOver([biome, 'check', '--write', ...(paths.length > 0 ? paths : [ROOT])]);
});
