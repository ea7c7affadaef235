import { conformance, type Engine } from './cases.ts';
import { carriesData } from './data.suite.ts';
import { showsDesktop } from './desktop.suite.ts';
import { letsOut } from './egress.suite.ts';
import { holds } from './escape.suite.ts';
import { isolates } from './isolation.suite.ts';
import { runsKernels } from './kernels.suite.ts';
import { livesAndDies } from './lifecycle.suite.ts';
import { limits } from './limits.suite.ts';
import { keepsFiles } from './snapshot.suite.ts';

/** Everything that a driver must do, against the real engine. */
export function driverSuite(engine: Engine): void {
  conformance(engine, [
    livesAndDies,
    isolates,
    holds,
    limits,
    letsOut,
    carriesData,
    keepsFiles,
    runsKernels,
    showsDesktop,
  ]);
}
