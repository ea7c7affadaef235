import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Id } from '../../protocol/ids.ts';
import { Port } from '../../protocol/ports.ts';
import type { Store } from '../../store/store.ts';

/** What a ticket opens: one thing of one job, until it expires. */
export const Ticket = z.object({
  id: Id,
  scope: z.enum(['desktop', 'terminal', 'port']),
  /** Of scope `port` alone. */
  port: Port.optional(),
  /** Of scope `desktop` alone: whether its holder may take control, too. */
  control: z.boolean().optional(),
  /** Milliseconds since 1970. */
  expires: z.int(),
});
export type Ticket = z.infer<typeof Ticket>;

const MAX_CHARS = 1_000;

/** A ticket as text for an address or a cookie: its content, and the installation's signature over it. */
export function sealTicket({ secrets }: Pick<Store, 'secrets'>, ticket: Ticket): string {
  const content = Buffer.from(JSON.stringify(ticket)).toString('base64url');
  return `${content}.${secrets.sign(`ticket ${content}`).toString('base64url')}`;
}

/** Whether the text is a ticket of this installation that opens just that, now. */
export function isTicketFor(
  { secrets }: Pick<Store, 'secrets'>,
  text: string | undefined,
  wanted: Omit<Ticket, 'expires'>,
): boolean {
  if (text === undefined || text.length > MAX_CHARS) return false;
  const [content = '', signature = ''] = text.split('.');
  const expected = secrets.sign(`ticket ${content}`);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  const { success, data } = Ticket.safeParse(JSON.parse(Buffer.from(content, 'base64url').toString()));
  return (
    success &&
    data.expires > Date.now() &&
    data.id === wanted.id &&
    data.scope === wanted.scope &&
    data.port === wanted.port &&
    (wanted.control !== true || data.control === true)
  );
}
