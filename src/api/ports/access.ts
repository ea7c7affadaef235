import type { IncomingHttpHeaders } from 'node:http';
import type { PortAddress } from '../../protocol/ports.ts';
import { isTicketFor } from '../live/tickets.ts';
import type { Api } from '../options.ts';

/** The cookie that keeps a ticket on a port's own host: no other host gets it, and its program never sees it. */
export const TICKET_COOKIE = 'sandbox_ticket';
const TICKET_PARAMETER = 'ticket';

/** Whether a request may reach a port: by a key, by a ticket in the cookie of its own host, or where no key is asked for. */
export function mayReach(api: Api, headers: IncomingHttpHeaders, { id, port }: PortAddress): boolean {
  if (!api.keys.required || api.keys.indexOf(headers) !== -1) return true;
  return cookieValues(headers.cookie, TICKET_COOKIE).some((text) =>
    isTicketFor(api.store, text, { id, scope: 'port', port }),
  );
}

/** A ticket in the address, and the address without it; null where there is none that counts. */
export function ticketOfUrl(
  api: Api,
  url: string,
  { id, port }: PortAddress,
): { ticket: string; rest: string } | null {
  const { pathname, searchParams, search } = new URL(url, 'http://sandbox');
  const ticket = searchParams.get(TICKET_PARAMETER);
  if (ticket === null || !isTicketFor(api.store, ticket, { id, scope: 'port', port })) return null;
  // Cut out as it stands: to write the rest anew could change it.
  const rest = search.replace(/([?&])ticket=[^&]*&?/, '$1').replace(/[?&]$/, '');
  return { ticket, rest: pathname.replace(/^\/{2,}/, '/') + rest };
}

/** The Cookie header without the ticket; null when nothing is left. */
export function withoutTicket(cookie: string): string | null {
  const rest = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !pair.startsWith(`${TICKET_COOKIE}=`));
  return rest.length > 0 ? rest.join('; ') : null;
}

function cookieValues(cookie: string | undefined, name: string): string[] {
  return (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : []));
}
