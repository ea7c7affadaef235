import type { RateLimitPluginOptions } from '@fastify/rate-limit';
import type { Config } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';
import type { Keys } from './keys.ts';

/** So many requests a minute from one key, or from one address where the request has no valid key. */
export function rateLimitOptions(config: Config, keys: Keys): RateLimitPluginOptions {
  return {
    global: false,
    max: config.RATE_LIMIT_PER_MINUTE,
    timeWindow: 60_000,
    enableDraftSpec: true,
    allowList: (request) => request.routeOptions.config?.probe === true,
    keyGenerator: (request) => {
      const index = keys.indexOf(request.headers);
      return index === -1 ? `address ${request.ip}` : `key ${index}`;
    },
    errorResponseBuilder: (_request, { max }) =>
      new CodedError('RATE_LIMITED', `expected at most ${max} requests a minute; found more`),
  };
}
