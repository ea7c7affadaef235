/** Everything that can be said of the sources without running them: types, lint and format, imports, dead code, docs. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, SetupError, say, seconds } from './setup/output.ts';
import { runProgram } from './setup/program.ts';
import { ROOT, TOOLS_DATA } from './setup/root.ts';

interface Check {
  name: string;
  argv: string[];
  /** What is wrong although the program was content, from what it printed. */
  doubt?: (output: string) => string | undefined;
}

const CACHE = join(TOOLS_DATA, 'cache');
const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);

const CHECKS: Check[] = [
  {
    name: 'types',
    argv: [bin('tsc'), '-p', ROOT, '--incremental', '--tsBuildInfoFile', join(CACHE, 'types.json')],
  },
  { name: 'types of the pages', argv: [bin('tsc'), '-p', join(ROOT, 'web'), '--noEmit'] },
  { name: 'lint and format', argv: [bin('biome'), 'check', '--error-on-warnings', ROOT] },
  {
    name: 'import directions',
    argv: [
      bin('depcruise'),
      '--config',
      '.dependency-cruiser.mjs',
      'src',
      'sandboxd',
      'web',
      'tools',
      'bench',
      'test',
    ],
    // With a compiler that it does not know it reads no module, and is content.
    doubt: (output) => (/\((?!0 modules)\d+ modules/.test(output) ? undefined : 'it read no module'),
  },
  // Without its cache, which goes on calling a file missing that has come since.
  { name: 'dead code', argv: [bin('knip')] },
  { name: 'generated docs', argv: [process.execPath, join(ROOT, 'tools/docs.ts'), '--check'] },
];

/** Runs one check; tells its result in a line, and what it printed when it failed. */
async function passes({ name, argv, doubt }: Check): Promise<boolean> {
  const started = performance.now();
  const lines: string[] = [];
  let failure: string | undefined;
  try {
    await runProgram(argv, { cwd: ROOT, onLine: (line) => lines.push(line) });
    failure = doubt?.(lines.join('\n'));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    failure = lines.length > 0 ? '' : error.message;
  }
  const took = seconds(performance.now() - started);
  if (failure === undefined) say(`ok      ${name} (${took})`);
  else say(`FAILED  ${name} (${took})\n${[...lines, failure].map((line) => `  ${line}`).join('\n')}`);
  return failure === undefined;
}

await runCommand(async () => {
  mkdirSync(CACHE, { recursive: true });
  const results = await Promise.all(CHECKS.map(passes));
  return results.every(Boolean) ? 0 : 1;
});
