import { CodedError } from '../protocol/errors.ts';
import type { EventData } from '../protocol/events.ts';
import { type Job, type LogType, WORKSPACE } from '../protocol/job.ts';
import { wordsOf } from '../protocol/words-of.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import { cloneRepository, withoutCredentials } from './clone-repository.ts';

/**
 * Puts the job's input into the workspace of a fresh sandbox: the repository first, which needs it empty,
 * then the files, which may replace some of the repository's.
 * @throws CodedError GIT_CLONE_FAILED, or INPUT_FAILED naming the file; the signal's reason when it is aborted.
 */
export async function prepareInput(options: {
  store: Store;
  job: Job;
  sandbox: Sandbox;
  env: Record<string, string>;
  signal: AbortSignal;
  log(type: LogType, bytes: Buffer): Promise<void>;
  redact(text: string): string;
}): Promise<EventData<'input.ready'>> {
  const { store, job, sandbox, signal, redact } = options;
  const { git } = job.request;
  if (git) await cloneRepository({ ...options, git });
  let bytes = 0;
  const files = await store.artifacts.inputs(job.id);
  for (const file of files) {
    const mode = file.executable ? 0o755 : 0o644;
    try {
      await sandbox.write(`${WORKSPACE}/${file.path}`, file.open(), { mode, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CodedError && error.code === 'SANDBOX_LOST') throw error;
      const why = wordsOf(error);
      throw new CodedError('INPUT_FAILED', redact(`"${file.path}" could not be written: ${why}`), {
        cause: error,
      });
    }
    bytes += file.bytes;
  }
  return { files: files.length, bytes, git: git ? redact(withoutCredentials(git.url)) : null };
}
