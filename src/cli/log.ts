import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.ts';

/**
 * The server's log, on stderr: what a command prints for a person stays apart from it.
 * Values of settings that are keys are never logged.
 */
export function createLog(config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>): Logger {
  const { LOG_LEVEL: level, LOG_FORMAT: format } = config;
  const forPeople = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  if (!forPeople) return pino({ level }, pino.destination(2));
  const stream = pretty({
    destination: 2,
    ignore: 'pid,hostname',
    translateTime: 'HH:MM:ss',
    colorize: process.stderr.isTTY && !process.env.NO_COLOR,
  });
  return pino({ level }, stream);
}
