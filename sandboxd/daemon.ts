import type { Desktop } from './desktop/desktop.ts';
import type { Kernels } from './kernel/kernels.ts';
import type { Ground } from './process/launch.ts';
import type { ProcessTable } from './process/table.ts';
import type { Settings } from './settings.ts';
import type { Sessions } from './shell/sessions.ts';
import type { Terminals } from './terminal/terminals.ts';

/** What the calls share. */
export interface Daemon extends Ground {
  settings: Settings;
  processes: ProcessTable;
  sessions: Sessions;
  desktop: Desktop;
  terminals: Terminals;
  kernels: Kernels;
}
