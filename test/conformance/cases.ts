import { describe, it } from 'vitest';
import type { Driver } from '../../src/sandbox/driver.ts';

/** A driver under test, and what it is known to lack: the case's name, and why. */
export interface Engine {
  name: string;
  makeDriver: () => Driver;
  lacks: Record<string, string>;
}

export type Case = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/**
 * Declares one suite for an engine. What the engine lacks must fail: an entry whose case passes, or names no case,
 * fails the run.
 */
export function conformance(engine: Engine, suites: ((engine: Engine, check: Case) => void)[]): void {
  const met = new Set<string>();
  const check: Case = (name, body, timeoutMs) => {
    met.add(name);
    const reason = engine.lacks[name];
    if (reason === undefined) it(name, { ...(timeoutMs ? { timeout: timeoutMs } : {}) }, body);
    else it.fails(`${name} (lacking: ${reason})`, { ...(timeoutMs ? { timeout: timeoutMs } : {}) }, body);
  };
  describe(`driver ${engine.name}`, () => {
    for (const suite of suites) suite(engine, check);
    it('lacks only what there is a case for', () => {
      const stale = Object.keys(engine.lacks).filter((name) => !met.has(name));
      if (stale.length > 0) throw new Error(`no such case: ${stale.join(', ')}`);
    });
  });
}
