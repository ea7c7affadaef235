import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How npm is called: by the Node.js that runs this where npm's own program is known, as run.mjs tells it. */
export function npm(): string[] {
  const known = process.env.npm_execpath;
  if (known?.endsWith('.js') && existsSync(known)) return [process.execPath, known];
  const beside = join(dirname(process.execPath), 'npm');
  return [existsSync(beside) ? beside : 'npm'];
}
