import type { z } from 'zod';
import { isFinal, type Job } from '../../protocol/job.ts';
import type { SandboxState } from '../../protocol/sandbox-api.ts';
import type { SandboxLease } from '../../store/sandbox-leases.ts';

/** A sandbox as the API tells it, from the job that it is and its lease. */
export function stateOf(
  job: Job,
  lease: SandboxLease | undefined,
  base: string,
): z.infer<typeof SandboxState> {
  const over = isFinal(job.status);
  return {
    sandbox_id: job.id,
    status: statusOf(job, lease),
    created: job.created,
    ready: lease?.ready?.toISOString() ?? null,
    expires: over ? null : (lease?.expires.toISOString() ?? null),
    ends: over ? null : (lease?.ends.toISOString() ?? null),
    ended: job.completed,
    idle_s: lease?.idleS ?? 0,
    error: job.error,
    labels: job.request.labels,
    limits: job.request.limits,
    links: linksOf(base, job),
  };
}

function statusOf({ status }: Job, lease: SandboxLease | undefined): z.infer<typeof SandboxState>['status'] {
  if (status === 'failed') return 'failed';
  if (isFinal(status)) return 'ended';
  return lease?.ready ? 'running' : 'starting';
}

function linksOf(base: string, { id, status, output }: Job): Record<string, string> {
  const paths = isFinal(status)
    ? ['files', 'events']
    : ['exec', 'shell', 'processes', 'kernels', 'files', 'desktop', 'terminal', 'ports', 'events'];
  const links = Object.fromEntries(paths.map((path) => [path, `${base}/${path}/${id}`]));
  return {
    self: `${base}/sandboxes/${id}`,
    ...links,
    ...(output && { download: `${base}/download/${id}` }),
  };
}
