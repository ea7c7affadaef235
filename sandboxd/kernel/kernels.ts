import { mkdirSync, rmSync } from 'node:fs';
import { CodedError } from '../../src/protocol/errors.ts';
import type { KernelList } from '../../src/protocol/kernel.ts';
import type { Ground } from '../process/launch.ts';
import { findSpecs, type KernelSpec } from './jupyter/specs.ts';
import { startJupyter } from './jupyter/start.ts';
import type { StartKernel } from './kernel.ts';
import { startNode } from './node/start.ts';
import { KernelSession } from './session.ts';

const MAX_KERNELS = 32;
const TYPESCRIPT = 'typescript';
const PYTHON = 'python';

/** The programs that kernels of ours are started with. */
export interface KernelPrograms {
  python: string;
  node: string;
}

/** The kernels by name, made at first use. */
export class Kernels {
  readonly #ground: Ground;
  readonly #folder: string;
  readonly #programs: KernelPrograms;
  readonly #sessions = new Map<string, KernelSession>();

  /** @param folder of the kernels' sockets */
  constructor(ground: Ground, folder: string, programs: KernelPrograms) {
    this.#ground = ground;
    this.#folder = folder;
    this.#programs = programs;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** @throws CodedError KERNEL_UNKNOWN, INVALID_ARGUMENT (of another kind), TOO_MANY_PROCESSES */
  use(name: string, spec: string): KernelSession {
    const known = this.#sessions.get(name);
    if (known?.spec === spec) return known;
    if (known)
      throw new CodedError('INVALID_ARGUMENT', `The kernel ${name} is one of ${known.spec}, not of ${spec}.`);
    if (this.#sessions.size >= MAX_KERNELS)
      throw new CodedError('TOO_MANY_PROCESSES', `There are ${MAX_KERNELS} kernels, the most there may be.`, {
        hint: 'Use one of them again, or stop one.',
      });
    const session = new KernelSession(name, spec, this.#starter(spec));
    this.#sessions.set(name, session);
    return session;
  }

  /** @throws CodedError KERNEL_UNKNOWN */
  get(name: string): KernelSession {
    const session = this.#sessions.get(name);
    if (session) return session;
    throw new CodedError('KERNEL_UNKNOWN', `There is no kernel ${name}.`);
  }

  async stop(name: string): Promise<void> {
    const session = this.get(name);
    this.#sessions.delete(name);
    await session.restart();
  }

  list(): KernelList {
    const found = findSpecs(process.env);
    const specs = [
      { spec: PYTHON, language: 'python', title: 'Python' },
      { spec: TYPESCRIPT, language: 'typescript', title: 'TypeScript and JavaScript' },
      ...found.map(({ name, language, display_name }) => ({ spec: name, language, title: display_name })),
    ];
    return { kernels: [...this.#sessions.values()].map((session) => session.info()), specs };
  }

  #starter(spec: string): StartKernel {
    const { python, node } = this.#programs;
    if (spec === TYPESCRIPT)
      return (env, late) => startNode(this.#ground, { program: node, folder: this.#folder, env, late });
    const found =
      spec === PYTHON ? pythonSpec(python) : findSpecs(process.env).find(({ name }) => name === spec);
    if (!found) {
      const specs = this.list().specs.map((one) => one.spec);
      throw new CodedError(
        'KERNEL_UNKNOWN',
        `There is no kind of kernel ${spec}; there is ${specs.join(', ')}.`,
      );
    }
    return (env, late) => startJupyter(this.#ground, found, { folder: this.#folder, env, late });
  }
}

/** ipykernel through a program of ours, which leaves out what only terminals and debuggers need. */
const pythonSpec = (program: string): KernelSpec => ({
  name: PYTHON,
  folder: '/',
  argv: ['python3', program, '{connection_file}'],
  display_name: 'Python',
  language: 'python',
  env: {},
  interrupt_mode: 'signal',
});
