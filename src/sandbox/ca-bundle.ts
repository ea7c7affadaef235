import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { CodedError } from '../protocol/errors.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * The certificate authorities that a sandbox trusts, in PEM: those of the operator's file and Node's own. Nothing
 * but certificates is taken from the file. Read it once: it is some 250 KB.
 * @throws CodedError SANDBOX_START_FAILED when SANDBOX_CA_CERTS names a file without certificates.
 */
export async function readCaBundle(
  config: Pick<Config, 'SANDBOX_CA_CERTS'>,
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<Buffer> {
  const asked = config.SANDBOX_CA_CERTS;
  const path = asked ?? env.NODE_EXTRA_CA_CERTS ?? env.SSL_CERT_FILE;
  const own = path ? await certificates(path) : [];
  if (own instanceof Error || (asked && own.length === 0)) {
    const found = own instanceof Error ? own.message : 'no certificate in it';
    const message = `Expected certificates in PEM in ${path}; found ${found}`;
    if (asked) {
      const hint = 'Mend or unset SANDBOX_CA_CERTS.';
      throw new CodedError('SANDBOX_START_FAILED', message, { hint });
    }
    log.warn({ file: path }, message);
  }
  const all = new Set([...(own instanceof Error ? [] : own), ...rootCertificates.map(normal)]);
  return Buffer.from([...all].join(''));
}

async function certificates(path: string): Promise<string[] | Error> {
  try {
    return ((await readFile(path, 'latin1')).match(CERTIFICATE) ?? []).map(normal);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The one form of a certificate, however its lines were broken: so that each goes in once. */
function normal(pem: string): string {
  const base64 = pem.replace(/-----[A-Z ]+-----|\s/g, '');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}
