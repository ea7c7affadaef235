import { describe, expect, it } from 'vitest';
import { filePath } from '../../src/api/files/file-path.ts';

describe('filePath', () => {
  it.each([
    ['/files/ID', ''],
    ['/files/ID/', ''],
    ['/files/ID/a', 'a'],
    ['/files/ID/src/main.ts?x=1', 'src/main.ts'],
    ['/files/ID/src/', 'src'],
    ['/files/ID/a%20b/%C3%A9', 'a b/é'],
    ['/files/ID/100%2525', '100%25'],
    ['/files/ID/./a//b', 'a/b'],
    ['/files/ID/..a/b..', '..a/b..'],
  ])('%s', (url, path) => {
    expect(filePath(url)).toBe(path);
  });

  it.each([
    '/files/ID/../x',
    '/files/ID/a/..',
    '/files/ID/%2e%2e/x',
    '/files/ID/a%2f..%2fb',
    '/files/ID/%2fetc/passwd',
    '/files/ID//etc/passwd',
    '/files/ID/a%00b',
    `/files/ID/${'a'.repeat(256)}`,
    `/files/ID/${'é'.repeat(128)}`,
    `/files/ID/${'abc/'.repeat(1_100)}`,
  ])('refuses %s', (url) => {
    expect(() => filePath(url)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
  });
});
