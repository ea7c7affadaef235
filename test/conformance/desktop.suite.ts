import { once } from 'node:events';
import { describe, expect } from 'vitest';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

export function showsDesktop(engine: Engine, check: Case): void {
  describe('desktop', () => {
    check('starts at the first look, obeys, and comes back after a crash', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver() });
      const { frame } = await sandbox.desktop.screenshot();
      expect(frame).toMatchObject({ width: 1_280, height: 800 });
      const { windows } = await sandbox.desktop.open({ command: 'xterm -e "cat > typed"' });
      expect(windows).toHaveLength(1);
      await sandbox.desktop.act([
        { action: 'type', text: 'λ 漢字\n' },
        { action: 'key', keys: 'ctrl+d' },
        { action: 'wait_still' },
      ]);
      expect((await run(sandbox, 'cat typed')).stdout).toBe('λ 漢字\n');
      await run(sandbox, 'pkill -9 Xvfb; while pgrep Xvfb; do sleep 0.01; done');
      await sandbox.desktop.screenshot();
      expect(await sandbox.desktop.start()).toMatchObject({ running: true });
    });

    check('carries a connection to its VNC server', async () => {
      const { sandbox } = await startTestSandbox({ driver: engine.makeDriver() });
      await using vnc = await sandbox.desktop.vnc();
      expect(String(await once(vnc, 'data'))).toBe('RFB 003.008\n');
      vnc.write('RFB 003.008\n');
      const [types] = await once(vnc, 'data');
      expect([...types]).toEqual([1, 1]);
    });
  });
}
