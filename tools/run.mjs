/**
 * The entry of every npm script: `node tools/run.mjs <command> [arguments]`. Runs on any Node.js from 18 with nothing
 * installed: brings a current Node.js where this one is too old, installs the dependencies where they are missing,
 * and hands over to tools/<command>.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { ensureNode } from './bootstrap/node.mjs';
import { fail, handOver, ROOT } from './bootstrap/process.mjs';

const [command = '', ...args] = process.argv.slice(2);
const file = join(ROOT, 'tools', `${command}.ts`);
if (!/^[a-z]+$/.test(command) || !existsSync(file)) {
  fail(
    `Expected a command such as demo, start, test, check, bench, doctor, image or format; found "${command}".`,
  );
}
const node = await ensureNode();
await ensureDependencies(node);
process.exitCode = await handOver([node.program, file, ...args], node.env);
