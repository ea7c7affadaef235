import { SANDBOX_PATHS } from '../src/protocol/sandboxd.ts';
import { attachSandbox, startSandbox } from '../src/sandbox/start.ts';
import { benchOptions, benchSpec, docker, image } from './engine.ts';
import { type Row, row, timed } from './row.ts';

const ROUNDS = 30;

/** From the order to the first command's output, against the engine's own command line, turn about. */
export async function sandboxStart(): Promise<Row[]> {
  const options = await benchOptions();
  const measured: Record<'ours' | 'bare' | 'create' | 'connect' | 'bundle' | 'first' | 'destroy', number[]> =
    {
      ours: [],
      bare: [],
      create: [],
      connect: [],
      bundle: [],
      first: [],
      destroy: [],
    };

  async function whole(): Promise<void> {
    const began = performance.now();
    const started = await startSandbox(benchSpec(), options);
    await started.sandbox.exec({ argv: ['echo', 'ready'] });
    measured.ours.push(performance.now() - began);
    measured.destroy.push(await timed(() => started.destroy()));
  }

  async function inStages(): Promise<void> {
    let at = performance.now();
    const lap = (stage: keyof typeof measured) => {
      const now = performance.now();
      measured[stage].push(now - at);
      at = now;
    };
    const handle = await options.driver.create(benchSpec());
    lap('create');
    const started = await attachSandbox(handle, options);
    lap('connect');
    await started.sandbox.write(SANDBOX_PATHS.caBundle, options.caBundle);
    lap('bundle');
    await started.sandbox.exec({ argv: ['echo', 'ready'] });
    lap('first');
    await started.destroy();
  }

  await whole();
  for (const stage of Object.values(measured)) stage.length = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await whole();
    measured.bare.push(
      await timed(() => docker('run', '--rm', '--network', 'none', '--entrypoint', 'true', image)),
    );
    await inStages();
  }
  return [
    row('sandbox start to first output', measured.ours, 'ms', 'create, connect, CA bundle, echo;'),
    row('docker run --rm --network none IMAGE true', measured.bare, 'ms', 'the same image, turn about;'),
    row('  of it: create and start the container', measured.create, 'ms', ''),
    row('  of it: connect, sandboxd ready', measured.connect, 'ms', ''),
    row('  of it: CA bundle', measured.bundle, 'ms', ''),
    row('  of it: first command', measured.first, 'ms', ''),
    row('sandbox destroy', measured.destroy, 'ms', 'until it is gone;'),
  ];
}
