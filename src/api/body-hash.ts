import { createHash, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScheduleBody } from './read-schedule-body.ts';

const stretch = promisify<string, string, number, Buffer>(scrypt);

/**
 * A hash of what a request asks for: the same for the same members in another order, or sent another way.
 * It is stored, so secrets go into it through scrypt: they cannot be guessed back at a rate that matters.
 */
export async function bodyHash({ request: { secrets, ...request }, uploads }: ScheduleBody): Promise<string> {
  const files = uploads
    .map(({ path, sha256 }) => ({ path, sha256 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256').update(canonical({ request, files }));
  if (secrets && Object.keys(secrets).length > 0) {
    hash.update(await stretch(canonical(secrets), request.prompt, 32));
  }
  return hash.digest('hex');
}

/** JSON with the members of every object sorted. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
