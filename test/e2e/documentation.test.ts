import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../support/server.ts';

const PAGE = join(import.meta.dirname, '../../docs/sandbox-api.md');
const run = promisify(execFile);

/** The commands of a page, and what it shows of the answer to each. */
function examplesOf(page: string): { commands: string; shown: string | null }[] {
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language, commands = ''], at) => {
    const [, next, shown = null] = blocks[at + 1] ?? [];
    return language === 'sh' ? [{ commands, shown: next === 'sh' ? null : shown }] : [];
  });
}

/** What is shown, with anything where it has an ellipsis. */
const asPattern = (shown: string): RegExp =>
  new RegExp(
    `^${shown
      .trim()
      .split('…')
      .map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[\\s\\S]*')}$`,
  );

test('the page of the sandbox API does what it says', async () => {
  const { url } = await startTestServer();
  const folder = await mkdtemp(join(tmpdir(), 'documentation-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const examples = examplesOf(await readFile(PAGE, 'utf8'));
  expect(examples.length).toBeGreaterThan(10);
  // One shell for all: what a block sets, the next ones have.
  const script = examples.map(({ commands }, at) => `{\n${commands}} > answer-${at}\n`);
  await writeFile(join(folder, 'script'), `set -eo pipefail\n${script.join('')}`);
  await run('bash', ['script'], {
    cwd: folder,
    env: { ...process.env, SERVER: url },
    timeout: 80_000,
    killSignal: 'SIGKILL',
  });
  for (const [at, { commands, shown }] of examples.entries()) {
    if (shown === null) continue;
    const answer = await readFile(join(folder, `answer-${at}`), 'utf8');
    expect.soft(answer.trim(), commands).toMatch(asPattern(shown));
  }
});
