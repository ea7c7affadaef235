import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

const OWN = { 'openai-compatible/qwen': { context: 131_072, price: { input: 0.5, output: 1 } } };

it('MODEL_CATALOG is JSON or a file of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'agent-test-'));
  try {
    const file = join(folder, 'models.json');
    await writeFile(file, JSON.stringify(OWN));
    expect(readConfig({ MODEL_CATALOG: file }).MODEL_CATALOG).toEqual(OWN);
    expect(readConfig({ MODEL_CATALOG: JSON.stringify(OWN) }).MODEL_CATALOG).toEqual(OWN);
    expect(readConfig({}).MODEL_CATALOG).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it.each([
  ['/no/such/file', /MODEL_CATALOG: expected JSON such as .*ENOENT/],
  ['{"qwen": {"context": 8000}}', /Invalid key in record\s+→ at qwen/],
  ['{"openai/x": {"context": 1}}', /context/],
  ['{"openai/x": {"window": 8000}}', /window/],
  ['{"openai/x": {"price_above": {"tokens": 1, "price": {"input": 1, "output": 1}}}}', /price beside/],
])('MODEL_CATALOG %s stops the start and says why', (MODEL_CATALOG, message) => {
  expect(() => readConfig({ MODEL_CATALOG })).toThrow(ConfigError);
  expect(() => readConfig({ MODEL_CATALOG })).toThrow(message);
});
