import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { isFinal, type Job } from '../../protocol/job.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { findJob } from '../find-job.ts';
import type { Api } from '../options.ts';
import { JobParams } from '../schemas.ts';
import { filePath } from './file-path.ts';

export const FileParams = JobParams.extend({ '*': z.string().optional() });

/** What every call that changes a workspace can fail with. */
export const WRITE_ERRORS = [
  'JOB_NOT_FOUND',
  'INVALID_PATH',
  'JOB_ENDED',
  'SANDBOX_NOT_LIVE',
  'PERMISSION_DENIED',
  'CONNECTION_LOST',
] as const;

/**
 * The path of a file or folder below the workspace.
 * @throws CodedError INVALID_PATH, also for the workspace itself.
 */
export function pathBelow(url: string): string {
  const path = filePath(url);
  if (path === '')
    throw new CodedError('INVALID_PATH', 'expected the path of a file below the workspace; found none');
  return path;
}

/**
 * The live sandbox of a job.
 * @throws CodedError SANDBOX_NOT_LIVE
 */
export async function sandboxOf(api: Api, job: Job): Promise<Sandbox> {
  const sandbox = await api.live(job);
  api.keeper.use(job);
  if (sandbox) return sandbox;
  throw new CodedError(
    'SANDBOX_NOT_LIVE',
    `the job is ${job.status} and has no sandbox that can be reached now`,
  );
}

/**
 * The live sandbox of the job of that id, to change its workspace.
 * @throws CodedError JOB_NOT_FOUND, JOB_ENDED or SANDBOX_NOT_LIVE.
 */
export async function writableSandbox(api: Api, id: string): Promise<Sandbox> {
  const job = await findJob(api.store, id);
  if (isFinal(job.status)) {
    throw new CodedError(
      'JOB_ENDED',
      `the job has ended as ${job.status}; its kept output cannot be changed`,
    );
  }
  return sandboxOf(api, job);
}
