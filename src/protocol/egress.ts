import { z } from 'zod';
import { ErrorInfo } from './errors.ts';

/** Why a worker does not connect a program with the outside: the word with which it resets the program's stream. */
export const EgressRefusal = z.object({
  /** As HTTP has it: 403 denied; 422, 502, 503 failed. */
  status: z.int(),
  /** What of the network policy decided. */
  rule: z.string(),
  error: ErrorInfo,
});
export type EgressRefusal = z.infer<typeof EgressRefusal>;
