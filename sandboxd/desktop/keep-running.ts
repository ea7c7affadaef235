import type { Program } from './program.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
const STEADY_MS = 10_000;

/** Starts a program, and again whenever it ends, at a growing distance where it does not last. */
export function keepRunning(start: () => Program): { stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let pause = FIRST_PAUSE_MS;
  let program: Program;
  function run(): void {
    const began = performance.now();
    program = start();
    void program.ended.then(() => {
      if (stopped) return;
      pause = performance.now() - began > STEADY_MS ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
      timer = setTimeout(run, pause);
    });
  }
  run();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      program.kill();
    },
  };
}
