import { CodedError } from '../protocol/errors.ts';
import { parseJsonObject } from './json.ts';
import type { App } from './options.ts';

const UTF8_CHARSET = /charset\s*=\s*"?(?!utf-?8"?\s*(?:;|$))/i;

/** Bodies are JSON in UTF-8, parsed strictly. */
export function jsonBody(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      if (UTF8_CHARSET.test(request.headers['content-type'] ?? '')) {
        throw new CodedError('UNSUPPORTED_MEDIA_TYPE', 'expected JSON in UTF-8; found another charset');
      }
      done(null, parseJsonObject(body));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Calls without a body take any: clients send empty ones of all types. */
export function noBody(scope: App): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
}

/** The body is a file, whatever its type: handed on as a stream. */
export function rawBody(scope: App): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}
