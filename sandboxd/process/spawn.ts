import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { CodedError } from '../../src/protocol/errors.ts';
import { errno, fromErrno } from '../serve/errno.ts';
import { asFirstToGo } from './memory-limit.ts';

export interface SpawnRequest {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** Descriptors of the child's ends; stdin may be /dev/null. */
  stdio: [number | 'ignore', number | 'ignore', number | 'ignore'];
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  pid: number;
  exit: Promise<Exit>;
}

/**
 * Starts a program in a session of its own.
 * @throws CodedError COMMAND_NOT_FOUND, PATH_NOT_FOUND or NOT_A_DIRECTORY (the working folder), PERMISSION_DENIED,
 * TOO_MANY_PROCESSES, INVALID_ARGUMENT.
 */
export async function spawnChild({ argv, cwd, env, stdio }: SpawnRequest): Promise<Child> {
  const [program = '', ...args] = argv;
  try {
    const child = asFirstToGo(() => spawn(program, args, { cwd, env, stdio, detached: true }));
    const exit = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    return { pid: await started(child), exit };
  } catch (error) {
    throw explain(error, program, cwd);
  }
}

function started(child: ChildProcess): Promise<number> {
  if (child.pid !== undefined) {
    // Such as a signal that could not be sent.
    child.on('error', () => {});
    return Promise.resolve(child.pid);
  }
  return new Promise((_resolve, reject) => {
    child.once('error', reject);
  });
}

/** The kernel says ENOENT and EACCES both of the program and of the folder that it is to run in. */
function explain(error: unknown, program: string, cwd: string): unknown {
  const name = errno(error);
  if (name === 'ENOENT' || name === 'EACCES' || name === 'ENOTDIR') {
    try {
      if (!statSync(cwd).isDirectory()) {
        return new CodedError('NOT_A_DIRECTORY', `The working folder ${cwd} is not a folder.`);
      }
    } catch (cause) {
      return fromErrno(cause, `The working folder ${cwd}`);
    }
    if (name === 'ENOENT') {
      const message = `The program ${JSON.stringify(program)} does not exist, or what its first line names does not.`;
      return new CodedError('COMMAND_NOT_FOUND', message, { cause: error });
    }
    return new CodedError('PERMISSION_DENIED', `The program ${JSON.stringify(program)} may not be run.`, {
      cause: error,
    });
  }
  if (name === 'ERR_INVALID_ARG_VALUE') {
    return new CodedError('INVALID_ARGUMENT', 'Arguments and variables of a process must hold no NUL.', {
      cause: error,
    });
  }
  return fromErrno(error, `The program ${JSON.stringify(program)}`);
}
