import { ConfigError } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';
import { NoServer, RequestRefused } from './client.ts';
import { PortInUse } from './port-in-use.ts';

/** A failure of a command in words for whoever ran it: what is wrong, and what to do where that is known. */
export function explain(error: unknown): string {
  if (error instanceof CodedError) return `${error.message}\n${error.hint}`;
  const expected = [ConfigError, PortInUse, RequestRefused, NoServer].some((kind) => error instanceof kind);
  if (!(error instanceof Error)) return String(error);
  // Of what nobody foresaw the place is worth more than the words.
  return expected || isSystemError(error) ? error.message : (error.stack ?? error.message);
}

/** A refusal of the system (a file, a port, an address): its words name what was refused. */
const isSystemError = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code);
