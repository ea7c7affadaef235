import { expect, test } from 'vitest';
import { readServerSentEvents } from '../../src/cli/server-sent-events.ts';
import { duration, harmless, size } from '../../src/cli/terminal.ts';
import { showTree } from '../../src/cli/tree.ts';

test('what a sandbox prints cannot steer the terminal', () => {
  expect(harmless('\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u0008\u202e!')).toBe('red x!');
  expect(harmless('10%\r50%\rdone\nnext\ttab')).toBe('done\nnext\ttab');
  expect(harmless('line\r\n')).toBe('line\n');
});

test('durations and sizes as people say them', () => {
  expect([duration(12.4), duration(3_240), duration(65_400)]).toEqual(['12 ms', '3.2 s', '1 min 5 s']);
  expect([size(12), size(3_400), size(5_600_000)]).toEqual(['12 B', '3.4 kB', '5.6 MB']);
});

test('a tree goes as deep as its lines allow', () => {
  const paths = ['a/b/1', 'a/b/2', 'a/c/3', 'top'];
  expect(showTree(paths, 10)).toEqual(['a/', '  b/', '    1', '    2', '  c/', '    3', 'top']);
  expect(showTree(paths, 4)).toEqual(['a/', '  b/ (2 files)', '  c/ (1 files)', 'top']);
  expect(showTree(paths, 2)).toEqual(['a/ (3 files)', 'top']);
  expect(showTree(['1', '2', '3', '4'], 3)).toEqual(['1', '2', '... and 2 more']);
});

test('events are read however they are cut, and one without its end is none', async () => {
  const text = ': hello\n\nid: 1\nevent: x\ndata: {"ü":1}\n\ndata: two\r\ndata: lines\r\n\r\ndata: cut';
  const bytes = Buffer.from(text);
  for (const step of [1, 3, 1_000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) =>
      bytes.subarray(i * step, (i + 1) * step),
    );
    const stream = (async function* () {
      yield* pieces;
    })();
    expect(await Array.fromAsync(readServerSentEvents(stream))).toEqual(['{"ü":1}', 'two\nlines']);
  }
});
