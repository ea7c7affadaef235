import { setTimeout as delay } from 'node:timers/promises';
import { type Belongs, endTree, killTree, membersOf, signalAll } from '../process/tree.ts';
import type { Bash } from './bash.ts';

/** How long a command that is interrupted may take to come back to its session, which is lost otherwise. */
const PATIENCE_MS = 400;
const EVERY_MS = 50;

/** Ends a command and what it started, and with it the session's bash if that does not come back. */
export async function interrupt(bash: Bash, belongs: Belongs, done: Promise<unknown>): Promise<void> {
  let over = false;
  const back = done.then(() => {
    over = true;
  });
  for (const until = performance.now() + PATIENCE_MS; !over && performance.now() < until; ) {
    // bash first: it gives up the whole command when it was interrupted before its child died of the same.
    bash.kill('SIGINT');
    signalAll(membersOf(belongs), 'SIGINT');
    await Promise.race([back, delay(EVERY_MS)]);
  }
  if (!over) {
    // Stopped first, so that it does not go on with the command's next line.
    bash.kill('SIGSTOP');
    await killTree(belongs);
    bash.kill('SIGKILL');
    await back;
  }
  await endTree(belongs);
}
