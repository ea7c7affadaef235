import { conformance, type Engine } from './cases.ts';
import { carriesData } from './data.suite.ts';
import { showsDesktop } from './desktop.suite.ts';
import { letsOut } from './egress.suite.ts';
import { isolates } from './isolation.suite.ts';
import { runsKernels } from './kernels.suite.ts';
import { livesAndDies } from './lifecycle.suite.ts';
import { limits } from './limits.suite.ts';
import { keepsFiles } from './snapshot.suite.ts';

/** Everything that a driver must do, against the real engine. */
export function driverSuite(engine: Engine): void {
<<<<<<< HEAD
  conformance(engine, [livesAndDies, isolates, limits, letsOut, carriesData, keepsFiles, runsKernels]);
=======
  conformance(engine, [livesAndDies, isolates, limits, letsOut, carriesData, keepsFiles, showsDesktop]);
>>>>>>> d8d0e8e (Chromium starts and stays up: no sandbox in the sandbox, the way out and the authorities it is to use, DevTools on loopback; the desktop in the conformance of drivers)
}
