import { newId } from '../../src/protocol/ids.ts';

/** Marks what this run of the tests makes on the engine. */
export function runPrefix(): string {
  const run = process.env.TEST_RUN;
  if (!run) throw new Error('Expected TEST_RUN, which vitest.config.ts sets.');
  return `test-${run}-`;
}

/** A name of a new installation, by which a container that this run leaves behind is found. */
export function testInstallation(): string {
  return `${runPrefix()}${newId()}`;
}
