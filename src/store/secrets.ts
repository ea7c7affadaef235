import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CodedError } from '../protocol/errors.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const Secrets = z.record(z.string(), z.string());

/** What the installation's key is for: the secrets of jobs, with AES-256-GCM, each bound to its job's id; and signatures. */
export interface SecretBox {
  seal(jobId: string, secrets: Record<string, string>): Buffer;
  /** @throws CodedError INTERNAL when the key is another one, or the bytes were changed. */
  open(jobId: string, sealed: Buffer): Record<string, string>;
  /** 32 bytes that only a process of this installation can make of the text. Begin it with what it is for. */
  sign(text: string): Buffer;
}

/** A box with this key of 32 bytes. */
export function secretBox(key: Buffer): SecretBox {
  // Of its own: one key serves one algorithm.
  const signing = Buffer.from(hkdfSync('sha256', key, '', 'signatures', KEY_BYTES));
  return {
    sign: (text) => createHmac('sha256', signing).update(text).digest(),
    seal(jobId, secrets) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(jobId));
      const body = Buffer.concat([cipher.update(JSON.stringify(secrets), 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(jobId, sealed) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES))
          .setAAD(Buffer.from(jobId))
          .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const body = Buffer.concat([
          decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)),
          decipher.final(),
        ]);
        return Secrets.parse(JSON.parse(body.toString('utf8')));
      } catch (cause) {
        throw new CodedError('INTERNAL', 'the secrets of the job cannot be decrypted with this key', {
          cause,
          hint: 'Start the server with the SECRETS_KEY (or the DATA_DIR) that it had when the job was scheduled.',
        });
      }
    },
  };
}

/**
 * The box of an installation: its key is SECRETS_KEY, else the file `secrets.key` of DATA_DIR, which is made
 * (mode 0600) when there is none.
 */
export async function openSecretBox(config: {
  SECRETS_KEY?: string | undefined;
  DATA_DIR: string;
}): Promise<SecretBox> {
  if (config.SECRETS_KEY) return secretBox(Buffer.from(config.SECRETS_KEY, 'base64'));
  const path = join(config.DATA_DIR, 'secrets.key');
  await mkdir(config.DATA_DIR, { recursive: true, mode: 0o700 });
  const found = await readKey(path);
  if (found) return secretBox(found);
  // Written whole under another name first: of two processes that start together, both end up with one key.
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  const key = await readKey(path);
  if (!key) throw new Error(`expected a key in ${path}; it is gone`);
  return secretBox(key);
}

async function readKey(path: string): Promise<Buffer | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new Error(
    `expected 32 bytes in base64 in ${path}; found ${key.length} bytes. Restore the file, or remove it if no job with secrets is under way.`,
  );
}
