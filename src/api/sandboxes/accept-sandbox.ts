import type { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import type { AcceptedRequest } from '../../protocol/job.ts';
import type { SandboxRequest } from '../../protocol/sandbox-api.ts';
import type { LeaseTerms } from '../../store/sandbox-leases.ts';
import { type AcceptFacts, acceptJob } from '../accept-request.ts';

const DEFAULT_IDLE_S = 600;
const DEFAULT_LIFETIME_S = 3_600;
/** The lease ends a sandbox; the job's own time limit only stands behind it. */
const SLACK_S = 600;

/**
 * Makes every choice that a request for a sandbox leaves open. It is a job without an agent.
 * @throws CodedError as for a job; LIMIT_ABOVE_CEILING for a life that is longer than a job may run.
 */
export function acceptSandbox(
  body: z.infer<typeof SandboxRequest>,
  facts: AcceptFacts,
): { request: AcceptedRequest; secrets: Record<string, string>; lease: LeaseTerms } {
  const { idle_s = DEFAULT_IDLE_S, lifetime_s = DEFAULT_LIFETIME_S, ...rest } = body;
  const most = facts.config.CEILING_TIMEOUT_S;
  if (lifetime_s > most) {
    const message = `expected at most ${most}; found ${lifetime_s}`;
    throw new CodedError('LIMIT_ABOVE_CEILING', `lifetime_s: ${message}`, {
      faults: [{ path: 'lifetime_s', message }],
      hint: `Ask for at most ${most}, or let the operator raise CEILING_TIMEOUT_S.`,
    });
  }
  const accepted = acceptJob({ ...rest, prompt: '' }, 'none', null, facts);
  const timeout_s = lifetime_s + SLACK_S;
  const request = { ...accepted.request, limits: { ...accepted.request.limits, timeout_s } };
  return { request, secrets: accepted.secrets, lease: { idleS: idle_s, lifetimeS: lifetime_s } };
}
