/** Something that set-up cannot do; the message says what was expected, what was found and what to do. */
export class SetupError extends Error {}

/** Tells what is going on, on stderr: stdout belongs to what the command is for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs one step that takes long: its title first, then how long it took. */
export async function step<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  say(`> ${title}`);
  const started = performance.now();
  const result = await work();
  say(`  done in ${seconds(performance.now() - started)}`);
  return result;
}

/** Milliseconds as a person reads them: `4.2 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Runs a command of tools/ to its exit code: a SetupError is told in its own words, without a stack. */
export async function runCommand(work: () => Promise<number>): Promise<never> {
  try {
    process.exit(await work());
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`\n${error.message}`);
    process.exit(1);
  }
}
