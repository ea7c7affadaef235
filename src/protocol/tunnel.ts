import { z } from 'zod';

/**
 * What a call says that carries bytes both ways between its caller and a program: `opened`, then bytes; `ended` when
 * the program has ended its side.
 */
export const TunnelMessage = z.object({ event: z.enum(['opened', 'ended']) });
