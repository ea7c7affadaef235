import { docker, withSandbox } from './engine.ts';
import { type Row, row, timed } from './row.ts';

/** One command's round trip in a live sandbox, against `docker exec` of the same command in the same container. */
export function exec(): Promise<Row[]> {
  return withSandbox(async ({ sandbox, handle }) => {
    const argv = ['true'];
    for (let i = 0; i < 50; i++) await sandbox.exec({ argv });
    const ours: number[] = [];
    const session: number[] = [];
    const bare: number[] = [];
    await sandbox.shell({ command: 'true' });
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 10; j++) {
        ours.push(await timed(() => sandbox.exec({ argv })));
        session.push(await timed(() => sandbox.shell({ command: 'true' })));
      }
      bare.push(await timed(() => docker('exec', handle.ref, ...argv)));
    }
    return [
      row('exec round trip', ours, 'ms', 'a process, started and ended;'),
      row('shell round trip', session, 'ms', 'a command of the lasting session;'),
      row('docker exec', bare, 'ms', 'the same command and container;'),
    ];
  });
}
