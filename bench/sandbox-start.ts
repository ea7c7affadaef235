import { SANDBOX_PATHS } from '../src/protocol/sandboxd.ts';
import { attachSandbox, type StartOptions, startSandbox } from '../src/sandbox/start.ts';
import { bareRunc } from './bare-runc.ts';
import { benchOptions, benchSpec, docker, type Engine, image } from './engine.ts';
import { type Row, row, timed } from './row.ts';

const ROUNDS = 30;
const STAGES = ['create', 'connect', 'bundle', 'first', 'destroy'] as const;
type Stage = (typeof STAGES)[number];

/** From the order to the first command's output on both engines, against both runtimes' own command lines, turn about. */
export async function sandboxStart(): Promise<Row[]> {
  const engines = { oci: await measure('oci'), docker: await measure('docker') };
  const bare: Record<'docker' | 'runc', number[]> = { docker: [], runc: [] };
  const runc = await bareRunc();
  for (const { round } of Object.values(engines)) await round();
  for (const { whole, stages } of Object.values(engines)) {
    for (const values of [whole, ...Object.values(stages)]) values.length = 0;
  }
  for (let i = 0; i < ROUNDS; i++) {
    for (const { round } of Object.values(engines)) await round();
    bare.docker.push(
      await timed(() => docker('run', '--rm', '--network', 'none', '--entrypoint', 'true', image)),
    );
    bare.runc.push(await timed(runc.run));
  }
  await runc.remove();
  return [
    ...rows('oci', engines.oci, 'disk, mounts and runtime'),
    ...rows('docker', engines.docker, 'create and start the container'),
    row('docker run --rm --network none IMAGE true', bare.docker, 'ms', 'the same image, turn about;'),
    row('runc run true', bare.runc, 'ms', 'the same files, read-only, without limits or seccomp;'),
  ];
}

/** One way from order to output at a time; the stages are those of a second start in each round. */
async function measure(engine: Engine) {
  const options = await benchOptions(engine);
  const whole: number[] = [];
  const stages: Record<Stage, number[]> = { create: [], connect: [], bundle: [], first: [], destroy: [] };
  async function round(): Promise<void> {
    const began = performance.now();
    const started = await startSandbox(benchSpec(), options);
    await started.sandbox.exec({ argv: ['echo', 'ready'] });
    whole.push(performance.now() - began);
    stages.destroy.push(await timed(() => started.destroy()));
    await inStages(options, (stage, ms) => stages[stage].push(ms));
  }
  return { whole, stages, round };
}

async function inStages(options: StartOptions, took: (stage: Stage, ms: number) => void): Promise<void> {
  let at = performance.now();
  const lap = (stage: Stage) => {
    const now = performance.now();
    took(stage, now - at);
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

function rows(engine: Engine, { whole, stages }: Awaited<ReturnType<typeof measure>>, create: string): Row[] {
  return [
    row(`sandbox start to first output, ${engine}`, whole, 'ms', 'create, connect, CA bundle, echo;'),
    row(`  of it: ${create}`, stages.create, 'ms', ''),
    row('  of it: connect, sandboxd ready', stages.connect, 'ms', ''),
    row('  of it: CA bundle', stages.bundle, 'ms', ''),
    row('  of it: first command', stages.first, 'ms', ''),
    row(`sandbox destroy, ${engine}`, stages.destroy, 'ms', 'until it is gone;'),
  ];
}
