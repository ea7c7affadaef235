import type { Belongs } from '../process/tree.ts';
import type { Bash } from './bash.ts';

const INIT = 1;

/**
 * What a command in a session has started: by its mark; and what bash forked for it without starting a program,
 * which has the environment of bash itself. Background jobs of earlier commands do not belong to it.
 */
export function commandTree(id: string, bash: Bash, startedTicks: number): Belongs {
  const earlier = bash.children();
  return (found, mark) => {
    if (found.pid === bash.pid || earlier.has(found.pid) || found.start < startedTicks) return false;
    const marked = mark();
    if (marked === id) return true;
    const forked = marked === bash.mark || (marked === null && found.session === bash.pid);
    if (forked && (found.parent === bash.pid || found.parent === INIT)) return true;
    return marked === null || marked === bash.mark ? null : false;
  };
}
