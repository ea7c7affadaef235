import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Crockford's base32, lower case: sorts as its numbers do and has no i, l, o, u to misread. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARS = 9;
const RANDOM_CHARS = 13;

export const ID_PATTERN = new RegExp(`^[${ALPHABET}]{${TIME_CHARS + RANDOM_CHARS}}$`);

/**
 * A new id of 22 characters: nine for the time in milliseconds, so that ids sort by creation,
 * then thirteen (65 bits) of randomness, so that nobody can guess one.
 */
export function newId(now: number = Date.now()): string {
  let time = '';
  for (let rest = now, i = 0; i < TIME_CHARS; i++, rest = Math.floor(rest / 32)) {
    time = ALPHABET.charAt(rest % 32) + time;
  }
  let random = '';
  for (const byte of randomBytes(RANDOM_CHARS)) random += ALPHABET.charAt(byte % 32);
  return time + random;
}

/** The id of a job or a sandbox, as {@link newId} makes it. */
export const Id = z
  .string()
  .regex(ID_PATTERN, 'expected an id of 22 characters, as POST /schedule returned it');

/** The id of an image of a job: the first half of the SHA-256 of its bytes. */
export const IMAGE_ID = /^[0-9a-f]{32}$/;
