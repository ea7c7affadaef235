import { expect, test, vi } from 'vitest';
import { createLogWriter } from '../../src/worker/log-writer.ts';
import { createRedactor } from '../../src/worker/redact.ts';

const { stream } = createRedactor({ KEY: 'secret-key' });

test('what is written is stored in order, in few pieces, redacted across them', async () => {
  const stored: string[] = [];
  const writer = createLogWriter(
    stream(),
    async (bytes) => void stored.push(bytes.toString()),
    () => {},
  );
  for (const piece of ['one ', 'two sec', 'ret-key thr', 'ee']) await writer.write(Buffer.from(piece));
  expect(stored).toEqual([]);
  await vi.waitFor(() => expect(stored).toEqual(['one two [secret KEY] three']));
  await writer.write(Buffer.from(' sec'));
  await writer.flush();
  await writer.end();
  expect(stored.join('')).toBe('one two [secret KEY] three sec');
});

test('a store that is slow holds the writer back', async () => {
  const gate = Promise.withResolvers<void>();
  const writer = createLogWriter(
    stream(),
    () => gate.promise,
    () => {},
  );
  const quarter = Buffer.alloc(256 * 1024, 'x');
  for (let i = 0; i < 3; i++) await writer.write(quarter);
  let held = true;
  const last = writer.write(quarter).then(() => {
    held = false;
  });
  await new Promise(setImmediate);
  expect(held).toBe(true);
  gate.resolve();
  await last;
});

test('a store that fails is told of once, and writing goes on without it', async () => {
  const failures: unknown[] = [];
  const failure = new Error('no');
  const writer = createLogWriter(
    stream(),
    () => Promise.reject(failure),
    (error) => failures.push(error),
  );
  await writer.write(Buffer.from('a'));
  await writer.flush();
  await writer.write(Buffer.from('b'));
  await writer.end();
  expect(failures).toEqual([failure]);
});
