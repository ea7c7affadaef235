import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasRunnableBlock, parseRunbook } from '../../src/protocol/runbook.ts';

const codes = (markdown: string) => parseRunbook(markdown).map((block) => block.code);

describe('parseRunbook', () => {
  it('finds blocks of every language, with number, line and title', () => {
    const blocks = parseRunbook(
      [
        '# 1. Set up *all* of [it](http://x)',
        '```bash',
        'a',
        '```',
        '## Then ##',
        '~~~ py title="The table" timeout=90',
        'b',
        '~~~',
        'Under',
        '=====',
        "```TypeScript title='c'",
        'c',
        '```',
        '```js',
        'd',
        '```',
        '```json',
        '{}',
        '```',
        '```',
        'none',
        '```',
        '```gui',
        'click',
        '```',
      ].join('\n'),
    );
    expect(
      blocks.map(({ number, language, title, line, timeoutMs }) => [
        number,
        language,
        title,
        line,
        timeoutMs,
      ]),
    ).toEqual([
      [1, 'bash', 'Set up all of it', 2, null],
      [2, 'python', 'The table', 6, 90_000],
      [3, 'typescript', 'c', 11, null],
      [4, 'javascript', 'Under', 14, null],
      [5, 'gui', 'Under', 23, null],
    ]);
  });

  it('takes the first line for a title where no heading stands above', () => {
    expect(parseRunbook('```sh\n\n  make all\nmake test\n```')[0]?.title).toBe('make all');
  });

  it.each([
    ['a longer fence around shorter ones', '````bash\n```\necho\n```\n````\n', ['```\necho\n```\n']],
    ['a fence of tildes around ticks', '~~~sh\n```\n~~~\n', ['```\n']],
    ['an indented fence', '  ```sh\n  a\n    b\nc\n ```\n', ['a\n  b\nc\n']],
    ['four spaces, which are no fence', '    ```sh\n    a\n    ```\n', []],
    ['a fence that is never closed', '```sh\na\nb', ['a\nb\n']],
    ['a closing fence with words after it', '```sh\na\n``` x\n```\n', ['a\n``` x\n']],
    ['CRLF', '```sh\r\na\r\nb\r\n```\r\n', ['a\nb\n']],
    ['ticks in the info string, which are no fence', '```sh `x`\na\n', []],
    ['an empty block', '```sh\n\n```\n', []],
    ['a block that is not to run', '```sh run=false\na\n```\n', []],
    ['a fence in a comment', '<!--\n```sh\na\n```\n-->\n```sh\nb\n```', ['b\n']],
    ['a comment of one line', '<!-- x -->\n```sh\nb\n```', ['b\n']],
    ['a block within another language', '```markdown\n~~~sh\na\n~~~\n```\n', []],
  ])('reads %s', (_, markdown, expected) => {
    expect(codes(markdown)).toEqual(expected);
  });

  it.each([
    ['60', 60_000, null],
    ['5m', 300_000, null],
    ['"2h"', 7_200_000, null],
    ['soon', null, 'timeout: expected seconds such as 90, or 5m; found "soon"'],
    ['0', null, 'timeout: expected seconds such as 90, or 5m; found "0"'],
  ])('reads timeout=%s', (text, timeoutMs, fault) => {
    expect(parseRunbook(`\`\`\`sh timeout=${text}\na\n\`\`\``)[0]).toMatchObject({ timeoutMs, fault });
  });

  it('gives any code back as it was written, in a fence that is long enough', () => {
    const line = fc.string().map((text) => text.replaceAll(/[\r\n]/g, ''));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        fc.pre(lines.some((text) => text.trim() !== ''));
        const longest = Math.max(
          2,
          ...(lines
            .join('\n')
            .match(/`+/g)
            ?.map((run) => run.length) ?? []),
        );
        const fence = '`'.repeat(longest + 1);
        expect(codes(`# x\n${fence}bash\n${lines.join('\n')}\n${fence}\nend`)).toEqual([
          `${lines.join('\n')}\n`,
        ]);
      }),
    );
  });

  it('reads 200,000 characters of the worst in no time', () => {
    const started = performance.now();
    for (const text of [
      '`'.repeat(200_000),
      '# '.repeat(100_000),
      '```sh a='.repeat(25_000),
      '<!--\n'.repeat(40_000),
      '# x'.padEnd(200_000, ' #'),
    ])
      parseRunbook(text);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

it('hasRunnableBlock wants a block', () => {
  expect(hasRunnableBlock('Build me a todo app.')).toBe(false);
  expect(hasRunnableBlock('```gui\nclick\n```')).toBe(true);
  expect(hasRunnableBlock('```gui\nclick\n```\n```python\n1\n```')).toBe(true);
});
