import { appendFile, readFile } from 'node:fs/promises';
import type { Outcome } from './outcome.ts';

/** What tells one job of the bench from another. */
export interface Piece {
  strategy: string;
  window: number;
  steps: number;
  characters: number;
  seed: number;
  /** Settings that are being tried. */
  settings: Record<string, string>;
}

/**
 * Outcomes in a file, a line of JSON each: a table of jobs that take many minutes each is put together from what several
 * runs have measured, side by side or one after the other. Without a file nothing is kept.
 */
export async function openPieces(file: string | undefined) {
  const known = new Map<string, Outcome>();
  const text = file === undefined ? '' : await readFile(file, 'utf8').catch(orNothing);
  for (const line of text.split('\n').filter(Boolean)) {
    const { piece, outcome } = JSON.parse(line) as { piece: Piece; outcome: Outcome };
    known.set(JSON.stringify(piece), outcome);
  }
  return {
    find: (piece: Piece): Outcome | undefined => known.get(JSON.stringify(piece)),
    async add(piece: Piece, outcome: Outcome): Promise<Outcome> {
      if (file !== undefined) await appendFile(file, `${JSON.stringify({ piece, outcome })}\n`);
      return outcome;
    },
  };
}

function orNothing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
