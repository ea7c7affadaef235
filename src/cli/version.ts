import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

/** The folder that the program lies in. */
export const PROJECT = resolve(import.meta.dirname, '../..');

/** The version in package.json. */
export function readVersion(): string {
  const text = readFileSync(resolve(PROJECT, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
