import { CodedError } from '../../protocol/errors.ts';
import { ID_PATTERN } from '../../protocol/ids.ts';
import { isFinal } from '../../protocol/job.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { sandboxOf } from '../files/file-calls.ts';
import { findJob } from '../find-job.ts';
import type { Api } from '../options.ts';

/** What every call into a live sandbox can fail with. */
export const LIVE_ERRORS = ['JOB_NOT_FOUND', 'JOB_ENDED', 'SANDBOX_NOT_LIVE', 'CONNECTION_LOST'] as const;

/**
 * The live sandbox of the job of that id.
 * @throws CodedError INVALID_ID, JOB_NOT_FOUND, JOB_ENDED or SANDBOX_NOT_LIVE.
 */
export async function liveSandbox(api: Api, id: string): Promise<Sandbox> {
  if (!ID_PATTERN.test(id)) throw new CodedError('INVALID_ID', 'expected an id of 22 characters');
  const job = await findJob(api.store, id);
  if (isFinal(job.status)) {
    throw new CodedError('JOB_ENDED', `the job has ended as ${job.status}; its sandbox is gone`);
  }
  return sandboxOf(api, job);
}
