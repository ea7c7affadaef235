import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { leftovers } from './leftovers.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test is skipped: `test.skipIf(condition)('...', { meta: { reason: '...' } }, ...)`. */
    reason?: string;
  }
}

/**
 * Ends the run with one plain line, `tests: N passed, N failed, N skipped`, and fails it on what vitest lets pass:
 * a skipped test without a reason (`context.skip('reason')`, or the reason in its meta), no test at all, and a
 * sandbox that is left behind.
 */
export default class ClosingLine implements Reporter {
  /** Whether somebody chose tests by name: then the others are skipped for that reason. */
  #chosen = false;

  onInit(vitest: Vitest): void {
    this.#chosen = vitest.config.testNamePattern !== undefined;
  }

  async onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    unhandled: ReadonlyArray<SerializedError>,
  ): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const of = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const skipped = of('skipped').filter((test) => !this.#chosen || reason(test));
    const faults = [
      ...skipped
        .filter((test) => !reason(test))
        .map((test) => `skipped without a reason: ${test.module.relativeModuleId} > ${test.fullName}`),
      ...(await leftovers()).map((name) => `left behind: ${name}`),
    ];
    if (of('passed').length + of('failed').length === 0) faults.push('no test ran');
    // A test that was cut before its end has failed; so has a file that could not be loaded.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const failed = of('failed').length + of('pending').length + broken + unhandled.length + faults.length;
    for (const fault of faults) process.stdout.write(`FAILED ${fault}\n`);
    for (const test of skipped)
      process.stdout.write(`skipped ${test.fullName}: ${reason(test) ?? 'no reason'}\n`);
    process.stdout.write(
      `tests: ${of('passed').length} passed, ${failed} failed, ${skipped.length} skipped\n`,
    );
    if (failed > 0) process.exitCode = 1;
  }
}

/** Why a test is skipped: its own reason, or that of the group it is in. */
function reason(test: TestCase): string | undefined {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  if (note) return note;
  for (let at: TestCase['parent'] | TestCase = test; at.type !== 'module'; at = at.parent) {
    const { reason: stated } = at.meta();
    if (stated) return stated;
  }
  return undefined;
}
