import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCaBundle } from '../../src/sandbox/ca-bundle.ts';
import { silent } from '../support/engines.ts';

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
const count = (bundle: Buffer) => bundle.toString().split('-----BEGIN CERTIFICATE-----').length - 1;

describe('readCaBundle', () => {
  let folder: string;
  let own: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ca-'));
    own = join(folder, 'own.pem');
    const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
    await writeFile(
      own,
      `# ours\r\n${pem('b3du').replaceAll('\n', '\r\n')}${key}${rootCertificates[0]?.replaceAll(/(?<=[^-])\n(?=[^-])/g, '')}`,
    );
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("adds the operator's certificates to Node's, each once, and nothing else of the file", async () => {
    const bundle = await readCaBundle({ SANDBOX_CA_CERTS: own }, {}, silent);
    expect(bundle.toString()).toContain(pem('b3du'));
    expect(bundle.toString()).not.toContain('PRIVATE KEY');
    expect(count(bundle)).toBe(rootCertificates.length + 1);
  });

  it('takes what this process itself trusts where nothing is set', async () => {
    const extra = await readCaBundle({ SANDBOX_CA_CERTS: undefined }, { NODE_EXTRA_CA_CERTS: own }, silent);
    const file = await readCaBundle({ SANDBOX_CA_CERTS: undefined }, { SSL_CERT_FILE: own }, silent);
    const neither = await readCaBundle({ SANDBOX_CA_CERTS: undefined }, {}, silent);
    expect([count(extra), count(file)]).toEqual([rootCertificates.length + 1, rootCertificates.length + 1]);
    expect(count(neither)).toBe(rootCertificates.length);
  });

  it.each(['/no/such/file.pem', '/etc/passwd'])(
    'refuses the setting %s, and says what is wrong',
    async (path) => {
      await expect(readCaBundle({ SANDBOX_CA_CERTS: path }, {}, silent)).rejects.toMatchObject({
        message: expect.stringContaining(path),
        hint: expect.stringContaining('SANDBOX_CA_CERTS'),
      });
    },
  );

  it('goes on without a file that it was not told to use', async () => {
    const bundle = await readCaBundle({ SANDBOX_CA_CERTS: undefined }, { SSL_CERT_FILE: '/no/such' }, silent);
    expect(count(bundle)).toBe(rootCertificates.length);
  });
});
