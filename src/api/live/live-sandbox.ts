import { CodedError } from '../../protocol/errors.ts';
import { ID_PATTERN } from '../../protocol/ids.ts';
import { isFinal, type Job } from '../../protocol/job.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { readSecrets } from '../../store/read-secrets.ts';
import { sandboxOf } from '../files/file-calls.ts';
import { findJob } from '../find-job.ts';
import type { Api } from '../options.ts';

/** What every call into a live sandbox can fail with. */
export const LIVE_ERRORS = ['JOB_NOT_FOUND', 'JOB_ENDED', 'SANDBOX_NOT_LIVE', 'CONNECTION_LOST'] as const;

/** A live sandbox, and the job that it belongs to or, without an agent, is. */
export interface Live {
  job: Job;
  sandbox: Sandbox;
}

/**
 * The live sandbox of that id, or that of the job of that id. It counts as used now, and until `use` is aborted.
 * @throws CodedError INVALID_ID, JOB_NOT_FOUND, JOB_ENDED or SANDBOX_NOT_LIVE.
 */
export async function findLive(api: Api, id: string, use?: AbortSignal): Promise<Live> {
  if (!ID_PATTERN.test(id)) throw new CodedError('INVALID_ID', 'expected an id of 22 characters');
  const job = await findJob(api.store, id);
  if (isFinal(job.status)) {
    throw new CodedError('JOB_ENDED', `the job has ended as ${job.status}; its sandbox is gone`);
  }
  if (use) api.keeper.useUntil(job, use);
  return { job, sandbox: await sandboxOf(api, job) };
}

/** {@link findLive} where only the sandbox matters. */
export const liveSandbox = async (api: Api, id: string, use?: AbortSignal): Promise<Sandbox> =>
  (await findLive(api, id, use)).sandbox;

/**
 * What a client's programs find in their environment: the variables of the job; of a sandbox, which is the client's
 * own, its secrets too.
 */
export async function clientEnv({ store }: Api, { id, request }: Job): Promise<Record<string, string>> {
  const secrets = request.agent === 'none' ? await readSecrets(store, id) : {};
  return { ...request.env, ...secrets };
}
