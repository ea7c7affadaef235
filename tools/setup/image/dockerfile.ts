import { SetupError } from '../output.ts';

/** What one instruction of a Dockerfile does to the file system. */
export type Step = { copy: string[]; to: string } | { run: string };

/** What a Dockerfile says, of the few words that sandboxd's knows. */
export interface Recipe {
  steps: Step[];
  env: string[];
  cwd: string;
  argv: string[];
}

/**
 * Reads a Dockerfile with one stage: COPY, RUN (in shell form), ENV, WORKDIR and ENTRYPOINT (as a list). FROM, ARG,
 * USER and STOPSIGNAL say what is the same for every sandbox.
 * @throws SetupError that names a line with anything else.
 */
export function readDockerfile(text: string): Recipe {
  const recipe: Recipe = { steps: [], env: [], cwd: '/', argv: [] };
  for (const line of instructions(text)) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? [];
    if (word === 'RUN') recipe.steps.push({ run: rest });
    else if (word === 'COPY' && !rest.startsWith('--')) {
      const paths = rest.split(/\s+/);
      recipe.steps.push({ to: paths.pop() ?? '', copy: paths });
    } else if (word === 'ENV') recipe.env.push(...rest.split(/\s+/));
    else if (word === 'WORKDIR') recipe.cwd = rest;
    else if (word === 'ENTRYPOINT') recipe.argv = JSON.parse(rest) as string[];
    else if (!['FROM', 'ARG', 'USER', 'STOPSIGNAL'].includes(word)) {
      throw new SetupError(`The sandbox image cannot be made without Docker: unknown instruction "${line}".`);
    }
  }
  return recipe;
}

/** Its instructions, each on one line, without comments. */
function instructions(text: string): string[] {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}
