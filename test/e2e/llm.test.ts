import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadScript } from '../../src/model/scripted/script.ts';
import { startScriptedModelServer } from '../../src/model/scripted/server.ts';
import { dataOf, startTestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

/** A server whose model answers from one of the examples' scripts. */
async function startWithScript(name: string) {
  const script = await loadScript(join(import.meta.dirname, '../../examples/scripts', name));
  const model = await startScriptedModelServer({ script });
  onTestFinished(() => model.close());
  return startTestServer({
    MODEL: 'openai-compatible/scripted',
    OPENAI_BASE_URL: `${model.url}/v1`,
    OPENAI_API_KEY: 'scripted-key-of-the-test',
  });
}

test('a model works on a prompt with tools, over the wire', async () => {
  const server = await startWithScript('hello.json');
  const { id, events, status } = await server.run({ prompt: 'Write hello into a file.' });
  expect(status).toMatchObject({ status: 'complete', error: null });
  expect(dataOf(events, 'model.reply')).toHaveLength(2);
  expect(dataOf(events, 'job.ended')[0]?.summary).toBe('Wrote hello.txt.');
  expect(await (await unpackOutput(server, id)).text('hello.txt')).toBe('hello\n');
  expect((await server.job(id)).usage.steps).toBe(2);
  expect(JSON.stringify(events)).not.toContain('scripted-key-of-the-test');
});

test('a question waits for its answer, and gives its place to other jobs meanwhile', async () => {
  const server = await startWithScript('ask.json');
  const id = await server.schedule({ prompt: 'Ask me.' });
  expect(await server.event(id, 'question.asked')).toMatchObject({ question: 'Which colour?' });
  await server.event(id, 'job.waiting');
  expect((await server.client.status(id)).status).toBe('waiting');
  const others = await Promise.all(
    [1, 2].map(() => server.run({ prompt: '```bash\ntrue\n```', agent: 'runbook' })),
  );
  expect(others.map(({ status }) => status.status)).toEqual(['complete', 'complete']);

  const answered = await fetch(`${server.url}/message/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'blue' }),
  });
  expect(answered.ok).toBe(true);
  const events = await server.ended(id);
  expect((await server.client.status(id)).status).toBe('complete');
  expect(dataOf(events, 'job.resumed')).toHaveLength(1);
  expect(await (await unpackOutput(server, id)).text('colour.txt')).toBe('blue\n');
  expect((await server.job(id)).waited_ms).toBeGreaterThan(0);
});

test('nobody answers: the job ends with that', async () => {
  const server = await startWithScript('ask.json');
  server.config.WAITING_TIMEOUT_S = 1;
  const { status } = await server.run({ prompt: 'Ask me.' });
  expect(status).toMatchObject({ status: 'failed', error: { code: 'ANSWER_TIMEOUT' } });
});
