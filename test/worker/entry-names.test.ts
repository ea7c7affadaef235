import { expect, test } from 'vitest';
import { createEntryNames, linkStaysInside } from '../../src/worker/entry-names.ts';

test.each(['/etc/passwd', '../up', 'a/../../up', 'a//b', './a', 'a/.', 'nul\0', 'back\\slash', 'C:/x', ''])(
  'refuses the name %j',
  (path) => {
    expect(createEntryNames([]).claim(path, 'file')).toBe('unsafe_name');
  },
);

test('refuses what no file system takes', () => {
  const names = createEntryNames([]);
  expect(names.claim('x'.repeat(256), 'file')).toBe('name_too_long');
  expect(names.claim('é'.repeat(128), 'file')).toBe('name_too_long');
  expect(names.claim('ab/'.repeat(1_400).slice(0, -1), 'file')).toBe('name_too_long');
});

test('gives a name once, and none below a file or a link', () => {
  const names = createEntryNames(['.agent/manifest.json']);
  expect(names.claim('.agent/manifest.json', 'file')).toBe('duplicate');
  expect(names.claim('.agent', 'symlink')).toBe('duplicate');
  expect(names.claim('link', 'symlink')).toBeNull();
  expect(names.claim('link/x', 'file')).toBe('duplicate');
  expect(names.claim('dir/file', 'file')).toBeNull();
  expect(names.claim('dir/file', 'file')).toBe('duplicate');
  expect(names.claim('dir', 'symlink')).toBe('duplicate');
  expect(names.claim('dir', 'directory')).toBeNull();
  expect(names.claim('dir/file/below', 'directory')).toBe('duplicate');
});

test.each([
  ['link', 'file', true],
  ['a/link', '../file', true],
  ['a/b/link', '../../c/d', true],
  ['a/link', './b', true],
  ['link', '.', true],
  ['link', '/etc/passwd', false],
  ['link', '..', false],
  ['a/link', '../../file', false],
  ['a/link', 'other-link/../file', false],
  ['link', '', false],
  ['link', 'x\0', false],
])('a link at %j to %j stays inside: %j', (path, target, inside) => {
  expect(linkStaysInside(path, target)).toBe(inside);
});
