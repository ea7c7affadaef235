import type { z } from 'zod';
import type { ErrorCode } from '../../protocol/errors.ts';

export const TAGS = {
  Jobs: 'Schedule work, follow it, stop it, fetch what it made.',
  'While it runs': 'Live events, messages to the agent, files of the workspace.',
  Sandboxes: 'Isolated machines without an agent, and commands in any live one.',
  Server: 'How the server is, and what it offers.',
} as const;

/** An answer that is not JSON of a schema. */
export interface OtherAnswer {
  description: string;
  /** Media type; none for an answer without a body. */
  type?: string;
  /** `binary` for bytes. */
  form?: 'text' | 'binary';
  schema?: z.ZodType;
  example?: unknown;
}

/** What the OpenAPI document says of a route beyond its schemas. */
export interface RouteDocs {
  id: string;
  tag: keyof typeof TAGS;
  summary: string;
  description?: string;
  /** What the answer of the response schema means; the schema's own status is the key of `response`. */
  answer?: string;
  example?: unknown;
  /** Further answers, by status. */
  answers?: Record<number, OtherAnswer | OtherAnswer[]>;
  /** What bodies it takes, by media type: a schema, or bytes. */
  bodies?: Record<string, { schema: z.ZodType | 'binary'; example?: unknown }>;
  /** Headers that it looks at. */
  headers?: Record<string, string>;
  errors: ErrorCode[];
  /** Further members of its error answers, as those of a refused cancellation. */
  problem?: { status: number; schema: z.ZodType };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    docs?: RouteDocs;
    /** Whether it answers without a key. */
    open?: boolean;
    /** Whether its body is streamed, so that no deadline is set for the whole of it. */
    streamed?: boolean;
    /** Whether it is left out of the rate limit and logged at debug level. */
    probe?: boolean;
  }
}
