/** The command line from these sources: `npm run cli -- run examples/hello.md`. */
import { runCli } from './setup/cli.ts';
import { runCommand } from './setup/output.ts';

await runCommand(() => runCli(process.argv.slice(2)));
