import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonObject } from '../../src/api/json.ts';
import { CodedError } from '../../src/protocol/errors.ts';

const parse = (text: string | Buffer) => parseJsonObject(Buffer.from(text));

function refusal(text: string | Buffer): CodedError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('parseJsonObject', () => {
  it('gives what JSON.parse gives, for any object with distinct names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__') && !/\\u(0000|d[89a-f])/i.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('finds a name given twice at any depth, however it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(5), (name, depth) => {
        fc.pre(name !== '__proto__' && !name.includes('\0'));
        const twice = `{${JSON.stringify(name)}: "}{", ${JSON.stringify(name)}: []}`;
        const text = `${'{"in": ["\\\\", {"a": {}, "b": '.repeat(depth)}${twice}${'}]}'.repeat(depth)}`;
        expect(refusal(text).code).toBe('MALFORMED_JSON');
      }),
    );
    expect(refusal('{"prompt": 1, "\\u0070rompt": 2}').message).toContain('"prompt" twice');
  });

  it('takes the same name in different objects, and as a value', () => {
    expect(parse('{"a": {"a": "a"}, "b": [{"a": 1}, {"a": 2}, "a"]}')).toEqual({
      a: { a: 'a' },
      b: [{ a: 1 }, { a: 2 }, 'a'],
    });
  });

  it.each([
    ['', 'empty'],
    ['  \n', 'empty'],
    ['[]', 'found an array'],
    ['null', 'found null'],
    ['"text"', 'found a string'],
    ['{"a": 1', 'line 1 column 8'],
    ["{'a': 1}", 'line 1 column 2'],
    ['{"a": NaN}', 'broken'],
    ['{"__proto__": {}}', '__proto__'],
    ['{"a": {"\\u005f_proto__": {}}}', '__proto__'],
  ])('refuses %j', (text, words) => {
    const error = refusal(text);
    expect(error.code).toBe('MALFORMED_JSON');
    expect(error.message).toContain(words);
  });

  it('does not quote the body, which may hold secrets', () => {
    expect(refusal('{"secrets": {"TOKEN": "hunter2hunter2" oops}}').message).not.toContain('hunter2');
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])).message).toContain('UTF-8');
  });

  it.each([
    ['{"prompt": "\\ud800"}', 'prompt', 'surrogate'],
    ['{"env": {"A": ["\\uDC00x"]}}', 'env.A.0', 'surrogate'],
    ['{"labels": {"a\\u0000": "b"}}', 'labels.a\\0', 'NUL'],
    ['{"prompt": "a\\u0000b"}', 'prompt', 'NUL'],
  ])('refuses text that cannot be stored: %j', (text, path, words) => {
    const error = refusal(text);
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.faults).toEqual([{ path, message: expect.stringContaining(words) }]);
  });

  it('takes whole pairs, and NUL in the content of a file', () => {
    expect(parse('{"prompt": "\\ud83d\\ude00"}')).toEqual({ prompt: '😀' });
    expect(parse('{"files": [{"path": "a", "content": "\\u0000"}]}')).toEqual({
      files: [{ path: 'a', content: '\0' }],
    });
  });

  it('bears a body nested deeper than any stack', () => {
    const deep = 200_000;
    expect(parse(`{"a": ${'['.repeat(deep)}${']'.repeat(deep)}}`)).toHaveProperty('a');
    expect(refusal(`{"a": ${'['.repeat(deep)}"\\ud800"${']'.repeat(deep)}}`).code).toBe('INVALID_REQUEST');
  });
});
