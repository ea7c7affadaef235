import type { FastifyRequest } from 'fastify';
import { CodedError } from '../protocol/errors.ts';

/**
 * Which of the types the Accept header likes best; the first one where it says nothing.
 * @throws CodedError NOT_ACCEPTABLE where it takes none of them.
 */
export function accepts<T extends string>(request: FastifyRequest, types: readonly [T, ...T[]]): T {
  const header = request.headers.accept;
  if (header === undefined || header.trim() === '') return types[0];
  const wanted = header.split(',').map(parseItem);
  let best: T | null = null;
  let bestQuality = 0;
  for (const type of types) {
    const quality = qualityOf(type, wanted);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  if (best) return best;
  throw new CodedError('NOT_ACCEPTABLE', `expected an Accept header that takes one of ${types.join(', ')}`);
}

interface Wanted {
  type: string;
  quality: number;
}

function parseItem(item: string): Wanted {
  const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const quality = q === undefined ? 1 : Number(q);
  return { type, quality: Number.isFinite(quality) ? quality : 0 };
}

/** The most specific item decides, as RFC 9110 has it. */
function qualityOf(type: string, wanted: Wanted[]): number {
  const group = `${type.split('/')[0]}/*`;
  for (const name of [type, group, '*/*']) {
    const item = wanted.find((candidate) => candidate.type === name);
    if (item) return item.quality;
  }
  return 0;
}
