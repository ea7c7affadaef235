import { createHash } from 'node:crypto';
import { beforeAll, describe, expect } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { run, startTestSandbox } from '../support/sandbox.ts';
import type { Case, Engine } from './cases.ts';

const MEBIBYTE = 1024 * 1024;
const MUCH = 100;

/** So many mebibytes, each different from the one before. */
async function* mebibytes(count: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(MEBIBYTE, `${i}:`);
}

async function digest(bytes: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

export function carriesData(engine: Engine, check: Case): void {
  describe('data', () => {
    let sandbox: Sandbox;
    let expected: string;
    beforeAll(async () => {
      ({ sandbox } = await startTestSandbox({ driver: engine.makeDriver(), lasts: 'file' }));
      expected = await digest(mebibytes(MUCH));
    });

    check(
      'brings 100 MB in and out as they are',
      async () => {
        const { size } = await sandbox.write('much', mebibytes(MUCH));
        expect(size).toBe(MUCH * MEBIBYTE);
        expect((await run(sandbox, 'sha256sum <much')).stdout).toBe(`${expected}  -\n`);
        const { bytes } = await sandbox.read('much');
        expect(await digest(bytes)).toBe(expected);
      },
      60_000,
    );

    check(
      'carries much both ways at once',
      async () => {
        const hash = createHash('sha256');
        const ended = await sandbox.exec(
          { argv: ['cat'], stdin: mebibytes(MUCH) },
          { onOutput: (_stream, bytes) => void hash.update(bytes) },
        );
        expect(ended.exit_code).toBe(0);
        expect(hash.digest('hex')).toBe(expected);
      },
      60_000,
    );

    check('answers at once beside a transfer that stands still', async () => {
      const abort = new AbortController();
      const held = Promise.withResolvers<void>();
      const stuck = sandbox.exec(
        { shell: 'cat /dev/zero' },
        { onOutput: () => held.promise, signal: abort.signal },
      );
      stuck.catch(() => {});
      for (let i = 0; i < 20; i++) {
        const began = performance.now();
        expect((await run(sandbox, { argv: ['true'] })).exit_code).toBe(0);
        expect(performance.now() - began).toBeLessThan(2_000);
      }
      abort.abort();
      held.resolve();
      await expect(stuck).rejects.toBeDefined();
    });
  });
}
