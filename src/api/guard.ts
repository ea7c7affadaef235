import type { FastifyRequest } from 'fastify';
import { CodedError } from '../protocol/errors.ts';
import { checkBrowser } from './check-browser.ts';
import { checkRequest } from './check-request.ts';
import type { Keys } from './keys.ts';
import type { Api, App } from './options.ts';
import { portOfHost } from './ports/port-host.ts';
import type { RouteTable } from './route-table.ts';

/** What each request must pass before its route sees it, in this order. The rate limit runs before the key is judged. */
export function guard(app: App, api: Api, keys: Keys, table: RouteTable): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    checkRequest(request);
    // Who may reach a program in a sandbox from which site is for that program to say.
    if (!keys.required && !portOfHost(request.raw, api.config)) checkBrowser(request, api.config);
  });
  if (api.config.RATE_LIMIT_PER_MINUTE > 0) app.addHook('onRequest', app.rateLimit());
  app.addHook('onRequest', async (request, reply) => {
    const allowed = request.is404 ? table.allowed(pathOf(request)) : [];
    if (request.method === 'OPTIONS' && allowed.length > 0) {
      return reply.code(204).header('allow', allowed.join(', ')).send();
    }
    if (!isOpen(request) && !api.isAuthorized(request)) {
      throw new CodedError('UNAUTHORIZED', 'expected one of the API keys; found none or another');
    }
    if (!request.is404) return;
    if (allowed.length === 0)
      throw new CodedError('NOT_FOUND', `there is nothing at ${pathOf(request).slice(0, 200)}`);
    reply.header('allow', allowed.join(', '));
    throw new CodedError('METHOD_NOT_ALLOWED', `expected ${allowed.join(', ')}; found ${request.method}`);
  });
}

const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0] ?? '/';

/** The pages of the documentation are a plugin's and cannot be marked. */
const isOpen = (request: FastifyRequest) =>
  request.routeOptions.config?.open === true || request.routeOptions.url?.startsWith('/docs/') === true;
