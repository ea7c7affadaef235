import { mkdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../../../src/protocol/ids.ts';
import type { Ground } from '../../process/launch.ts';
import { signalAll } from '../../process/tree.ts';
import type { Kernel, KernelSink } from '../kernel.ts';
import { startProgram } from '../program.ts';
import { CHANNELS, JupyterClient } from './connect.ts';
import type { KernelSpec } from './specs.ts';

/** Starts a Jupyter kernel over Unix sockets in a folder of its own. @throws CodedError KERNEL_START_FAILED */
export async function startJupyter(
  ground: Ground,
  spec: KernelSpec,
  { folder: parent, env, late }: { folder: string; env: Record<string, string>; late: KernelSink },
): Promise<Kernel> {
  const folder = join(parent, newId());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const sockets = join(folder, 'socket');
  const connection = join(folder, 'connection.json');
  const ports = Object.fromEntries(Object.entries(CHANNELS).map(([name, at]) => [`${name}_port`, at]));
  const signature = { key: '', signature_scheme: 'hmac-sha256' };
  const client = new JupyterClient(late);
  try {
    await writeFile(connection, JSON.stringify({ transport: 'ipc', ip: sockets, ...ports, ...signature }));
    const argv = spec.argv.map((word) =>
      word.replaceAll('{connection_file}', connection).replaceAll('{resource_dir}', spec.folder),
    );
    const request = { argv, cwd: ground.workspace, env: { ...spec.env, ...env } };
    const { program } = await startProgram(ground, request, (signal) => client.open(sockets, signal));
    void program.exit.then(() => {
      client.close();
      remove();
    });
    const { pid } = program.running;
    return {
      pid,
      exit: program.exit,
      lastWords: program.lastWords,
      execute: (code, sink) => client.execute(code, sink),
      interrupt: () => (spec.interrupt_mode === 'message' ? client.interrupt() : signalAll([pid], 'SIGINT')),
      endStarted: program.endStarted,
      end: program.end,
    };
  } catch (error) {
    client.close();
    remove();
    throw error;
  }
}
