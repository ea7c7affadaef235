import type { IncomingMessage } from 'node:http';
import { CodedError } from '../../protocol/errors.ts';
import { checkBrowser } from '../check-browser.ts';
import type { Api } from '../options.ts';
import { isTicketFor, type Ticket } from './tickets.ts';

/** How pages of ours send a ticket with a request; a WebSocket has it as `?ticket=`. */
export const TICKET_HEADER = 'x-ticket';

/**
 * Lets a request through that has a key, or a ticket for just this; without API keys, any but one of another site's page.
 * @throws CodedError UNAUTHORIZED, FORBIDDEN
 */
export function checkAccess(
  api: Api,
  request: Pick<IncomingMessage, 'url' | 'headers'>,
  wanted: Omit<Ticket, 'expires'>,
): void {
  if (!api.keys.required) {
    checkOrigin(api, request);
    return;
  }
  if (api.keys.indexOf(request.headers) !== -1) return;
  const header = request.headers[TICKET_HEADER];
  const parameter = new URL(request.url ?? '', 'http://server').searchParams.get('ticket') ?? undefined;
  if (isTicketFor(api.store, typeof header === 'string' ? header : parameter, wanted)) return;
  throw new CodedError(
    'UNAUTHORIZED',
    'expected an API key, or a ticket of POST /tickets/:id; found neither',
  );
}

/** A page of another site may open a WebSocket, and reads what comes: such a request counts as one that changes things. */
export function checkOrigin(api: Api, { headers }: Pick<IncomingMessage, 'headers'>): void {
  checkBrowser({ headers, method: 'POST' }, api.config);
}
