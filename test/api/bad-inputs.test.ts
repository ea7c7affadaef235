import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/protocol/errors.ts';
import { newId } from '../../src/protocol/ids.ts';
import { Problem } from '../../src/protocol/job.ts';
import { type RawAnswer, sendRaw } from './raw.ts';
import { RUNBOOK, startApi, type TestApi } from './start-api.ts';

let api: TestApi;
let port: number;
let job: string;
beforeAll(async () => {
  api = await startApi({
    env: { MAX_BODY_MB: '1', MAX_UPLOAD_MB: '2' },
    deadlines: { headers: 1_000, body: 500 },
  });
  port = (api.app.server.address() as AddressInfo).port;
  job = await api.schedule({ prompt: RUNBOOK });
});
afterAll(() => api.close());

const NOBODY = newId();
const json = (body: unknown) => post('/schedule', JSON.stringify(body));
const runbook = (rest: object) => json({ prompt: RUNBOOK, ...rest });

function post(path: string, body: string | Buffer, type = 'application/json', more = ''): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}
const call = (line: string, headers = '') => `${line} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

/** Requests with the code that they must be answered with, and a word of the text that must be in it. */
const BODIES: [string, () => string | Buffer, ErrorCode, RegExp?][] = [
  ['no body', () => call('POST /schedule'), 'MALFORMED_JSON', /empty/],
  ['an empty body', () => post('/schedule', ''), 'MALFORMED_JSON', /empty/],
  ['white space', () => post('/schedule', ' \n '), 'MALFORMED_JSON', /empty/],
  ['half of an object', () => post('/schedule', '{"prompt": "x"'), 'MALFORMED_JSON'],
  ['an array', () => json([]), 'MALFORMED_JSON', /array/],
  ['null', () => json(null), 'MALFORMED_JSON', /null/],
  ['a string', () => json('x'), 'MALFORMED_JSON', /string/],
  [
    'a member twice',
    () => post('/schedule', '{"prompt": "a", "prompt": "b"}'),
    'MALFORMED_JSON',
    /prompt.+ twice/,
  ],
  [
    '__proto__',
    () => post('/schedule', '{"prompt": "a", "__proto__": {"agent": "llm"}}'),
    'MALFORMED_JSON',
    /__proto__/,
  ],
  [
    'constructor',
    () => post('/schedule', '{"prompt": "a", "constructor": {"prototype": 1}}'),
    'INVALID_REQUEST',
    /constructor/,
  ],
  ['invalid UTF-8', () => post('/schedule', Buffer.from([0x7b, 0xff, 0x7d])), 'MALFORMED_JSON', /UTF-8/],
  ['UTF-16', () => post('/schedule', Buffer.from('{"prompt": "x"}', 'utf16le')), 'MALFORMED_JSON'],
  [
    'another charset',
    () => post('/schedule', '{}', 'application/json; charset=latin1'),
    'UNSUPPORTED_MEDIA_TYPE',
    /charset/,
  ],
  ['a lone surrogate', () => post('/schedule', '{"prompt": "\\ud800"}'), 'INVALID_REQUEST', /surrogate/],
  ['NUL in the prompt', () => json({ prompt: 'a\0b' }), 'INVALID_REQUEST', /NUL/],
  ['NUL in a label', () => runbook({ labels: { a: '\0' } }), 'INVALID_REQUEST', /NUL/],
  ['NUL in a glob', () => runbook({ output: { include: ['\0'] } }), 'INVALID_REQUEST', /NUL/],
  [
    'a body over the limit',
    () => post('/schedule', `{"prompt": "${'x'.repeat(2 ** 20)}"}`),
    'BODY_TOO_LARGE',
    /MAX_BODY_MB/,
  ],
  ['text', () => post('/schedule', 'prompt=x', 'text/plain'), 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'a form',
    () => post('/schedule', 'prompt=x', 'application/x-www-form-urlencoded'),
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['a type that is none', () => post('/schedule', '{}', 'no type'), 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'a body without a type',
    () => 'POST /schedule HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}',
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'numbers beyond range',
    () => post('/schedule', '{"prompt": "x", "priority": 1e999}'),
    'INVALID_REQUEST',
    /priority/,
  ],
  [
    'a body that trickles in',
    () => `${call('POST /schedule', 'Content-Type: application/json\r\nContent-Length: 9\r\n')}{`,
    'REQUEST_TIMEOUT',
  ],
  [
    'a broken chunk',
    () =>
      `${call('POST /schedule', 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n')}zz\r\n`,
    'MALFORMED_REQUEST',
  ],
];

const MEMBERS: [string, object, string][] = [
  ['no prompt', {}, 'prompt'],
  ['an empty prompt', { prompt: '' }, 'prompt'],
  ['a prompt of another type', { prompt: 1 }, 'prompt'],
  ['null for a prompt', { prompt: null }, 'prompt'],
  ['a prompt that is too long', { prompt: 'x'.repeat(200_001) }, 'prompt'],
  ['an unknown member', { prompt: 'x', promt: 'x' }, 'promt'],
  ['an unknown member inside', { prompt: 'x', limits: { cpu: 1 } }, 'limits.cpu'],
  ['an unknown agent', { prompt: 'x', agent: 'human' }, 'agent'],
  ['a model without a provider', { prompt: 'x', model: 'gpt' }, 'model'],
  ['a limit as text', { prompt: 'x', limits: { cpus: '2' } }, 'limits.cpus'],
  ['a limit below zero', { prompt: 'x', limits: { cpus: -1 } }, 'limits.cpus'],
  ['a broken limit', { prompt: 'x', limits: { timeout_s: 1.5 } }, 'limits.timeout_s'],
  ['an absolute path', { prompt: 'x', files: [{ path: '/etc/passwd', content: '' }] }, 'files.0.path'],
  ['a path upwards', { prompt: 'x', files: [{ path: 'a/../../b', content: '' }] }, 'files.0.path'],
  ['a file without content', { prompt: 'x', files: [{ path: 'a' }] }, 'files.0'],
  [
    'a file with two contents',
    { prompt: 'x', files: [{ path: 'a', content: '', content_base64: '' }] },
    'files.0',
  ],
  [
    'base64 that is none',
    { prompt: 'x', files: [{ path: 'a', content_base64: '!!' }] },
    'files.0.content_base64',
  ],
  [
    'a file twice',
    {
      prompt: RUNBOOK,
      files: [
        { path: 'a', content: '' },
        { path: 'a', content: '' },
      ],
    },
    'files.1.path',
  ],
  [
    'a file below a file',
    {
      prompt: RUNBOOK,
      files: [
        { path: 'a', content: '' },
        { path: 'a/b', content: '' },
      ],
    },
    'files.1.path',
  ],
  ['files that are no list', { prompt: 'x', files: {} }, 'files'],
  ['a variable with a bad name', { prompt: 'x', env: { 'A-B': '1' } }, 'env.A-B'],
  ['a variable that is a number', { prompt: 'x', env: { A: 1 } }, 'env.A'],
  ['a secret that is too short', { prompt: 'x', secrets: { A: 'abc' } }, 'secrets'],
  ['a name in env and secrets', { prompt: RUNBOOK, env: { A: '1' }, secrets: { A: 'secret' } }, 'secrets.A'],
  ['an unknown network', { prompt: 'x', network: { mode: 'host' } }, 'network.mode'],
  ['allow without allowlist', { prompt: 'x', network: { mode: 'none', allow: ['a.b'] } }, 'network'],
  [
    'a host that is none',
    { prompt: 'x', network: { mode: 'allowlist', allow: ['http://a'] } },
    'network.allow.0',
  ],
  ['a file URL for git', { prompt: 'x', git: { url: 'file:///etc' } }, 'git.url'],
  [
    'a ref that is an option',
    { prompt: 'x', git: { url: 'https://a/b', ref: '--upload-pack=x' } },
    'git.ref',
  ],
  ['a callback that is no web address', { prompt: 'x', callback_url: 'ftp://a' }, 'callback_url'],
  ['a priority out of range', { prompt: 'x', priority: 101 }, 'priority'],
  ['a label with a bad name', { prompt: 'x', labels: { 'a b': 'c' } }, 'labels.a b'],
  ['unknown privileges', { prompt: 'x', privileges: 'admin' }, 'privileges'],
];

const CALLS: [string, () => string | Buffer, ErrorCode, RegExp?][] = [
  ['an ill-formed id', () => call('GET /status/1'), 'INVALID_ID'],
  ['an id in capitals', () => call(`GET /status/${NOBODY.toUpperCase()}`), 'INVALID_ID'],
  ['a very long id', () => call(`GET /status/${'a'.repeat(3_000)}`), 'INVALID_ID'],
  ['an id with a quote', () => call("GET /status/'--"), 'INVALID_ID'],
  ['an id with NUL', () => call('GET /job/%00'), 'INVALID_ID'],
  ...['status', 'job', 'logs', 'events', 'download', 'files'].map(
    (name): [string, () => string, ErrorCode] => [
      `an unknown job for ${name}`,
      () => call(`GET /${name}/${NOBODY}`),
      'JOB_NOT_FOUND',
    ],
  ),
  ...['cancel', 'pause', 'resume'].map((name): [string, () => string, ErrorCode] => [
    `an unknown job to ${name}`,
    () => call(`POST /${name}/${NOBODY}`),
    'JOB_NOT_FOUND',
  ]),
  ['an unknown job to tell', () => post(`/message/${NOBODY}`, '{"text": "x"}'), 'JOB_NOT_FOUND'],
  ['an unknown job to write to', () => call(`PUT /files/${NOBODY}/a`), 'JOB_NOT_FOUND'],
  ['a message without text', () => post(`/message/${job}`, '{}'), 'INVALID_REQUEST', /text.*missing/],
  ['a message with a NUL', () => post(`/message/${job}`, '{"text": "\\u0000"}'), 'INVALID_REQUEST', /NUL/],
  ['an unknown log', () => call(`GET /logs/${job}/stdin`), 'INVALID_REQUEST', /stdout/],
  ['an unknown log_type', () => call(`GET /logs/${job}?log_type=x`), 'INVALID_REQUEST', /stdout/],
  [
    'a log_type twice',
    () => call(`GET /logs/${job}?log_type=stdout&log_type=stderr`),
    'INVALID_REQUEST',
    /log_type/,
  ],
  ['an unknown query parameter', () => call(`GET /status/${job}?verbose=1`), 'INVALID_REQUEST', /verbose/],
  ['an unknown status', () => call('GET /jobs?status=done'), 'INVALID_REQUEST', /status/],
  ['limit 0', () => call('GET /jobs?limit=0'), 'INVALID_REQUEST', /limit/],
  ['limit 1001', () => call('GET /jobs?limit=1001'), 'INVALID_REQUEST', /1000/],
  ['a limit that is no number', () => call('GET /jobs?limit=1e2'), 'INVALID_REQUEST', /limit/],
  ['an empty limit', () => call('GET /jobs?limit='), 'INVALID_REQUEST', /limit/],
  ['a cursor of no page', () => call('GET /jobs?cursor=nonsense'), 'INVALID_REQUEST', /cursor/],
  ['a cursor with NUL', () => call('GET /jobs?cursor=%00'), 'INVALID_REQUEST', /cursor/],
  ['an event number below zero', () => call(`GET /events/${job}?after=-1`), 'INVALID_REQUEST', /after/],
  ['an event that is not there', () => call(`GET /events/${job}?after=99`), 'INVALID_REQUEST', /at most 1/],
  [
    'a Last-Event-ID that is none',
    () => call(`GET /events/${job}`, 'Last-Event-ID: x\r\n'),
    'INVALID_REQUEST',
    /last-event-id/,
  ],
  ['events as a picture', () => call(`GET /events/${job}`, 'Accept: image/png\r\n'), 'NOT_ACCEPTABLE'],
  ['an output that is not there yet', () => call(`GET /download/${job}`), 'OUTPUT_NOT_READY'],
  [
    'a range beyond the log',
    () => call(`GET /logs/${job}/stdout`, 'Range: bytes=5-\r\n'),
    'RANGE_NOT_SATISFIABLE',
  ],
  ['files of a job without a sandbox', () => call(`GET /files/${job}/a`), 'SANDBOX_NOT_LIVE'],
  ['writing to a job without a sandbox', () => call(`PUT /files/${job}/a`), 'SANDBOX_NOT_LIVE'],
  ['a path upwards', () => call(`GET /files/${job}/../../etc/passwd`), 'INVALID_PATH'],
  ['an encoded path upwards', () => call(`GET /files/${job}/%2e%2e%2fx`), 'INVALID_PATH'],
  ['an absolute path', () => call(`GET /files/${job}/%2fetc/passwd`), 'INVALID_PATH'],
  ['a path with NUL', () => call(`DELETE /files/${job}/a%00b`), 'INVALID_PATH'],
  ['removing the workspace', () => call(`DELETE /files/${job}/.`), 'INVALID_PATH'],
  ['an unknown address', () => call('GET /nothing'), 'NOT_FOUND'],
  ['an unknown address with a body', () => post('/nothing', 'x', 'text/plain'), 'NOT_FOUND'],
  ['a desktop', () => call(`GET /desktop/${NOBODY}/control`), 'JOB_NOT_FOUND'],
  ['GET /schedule', () => call('GET /schedule'), 'METHOD_NOT_ALLOWED', /POST/],
  ['DELETE /jobs', () => call('DELETE /jobs'), 'METHOD_NOT_ALLOWED', /GET/],
  ['GET /cancel', () => call(`GET /cancel/${job}`), 'METHOD_NOT_ALLOWED', /POST/],
  ['TRACE', () => call('TRACE /'), 'METHOD_NOT_ALLOWED'],
  ['PROPFIND', () => call('PROPFIND /jobs'), 'METHOD_NOT_ALLOWED'],
  ['CONNECT', () => call('CONNECT example.com:80'), 'METHOD_NOT_ALLOWED'],
  ['a method that is none', () => call('FOO /jobs'), 'MALFORMED_REQUEST'],
  ['a broken escape', () => call('GET /status/%zz'), 'MALFORMED_REQUEST'],
  ['an escape of no UTF-8', () => call('GET /status/%ff'), 'MALFORMED_REQUEST'],
  ['a broken escape in the query', () => call('GET /jobs?label=%e0%a4%a'), 'MALFORMED_REQUEST'],
  ['a long address', () => call(`GET /jobs?label=${'a'.repeat(9_000)}`), 'URI_TOO_LONG'],
  ['an endless address', () => call(`GET /${'a'.repeat(20_000)}`), 'URI_TOO_LONG'],
  ['a long header', () => call('GET /jobs', `X-Long: ${'a'.repeat(20_000)}\r\n`), 'HEADERS_TOO_LARGE'],
  ['many headers', () => call('GET /jobs', 'X: y\r\n'.repeat(500)), 'HEADERS_TOO_LARGE'],
  ['no Host', () => 'GET /jobs HTTP/1.1\r\n\r\n', 'MALFORMED_REQUEST', /Host/],
  ['a Host with markup', () => 'GET /jobs HTTP/1.1\r\nHost: <b>\r\n\r\n', 'MALFORMED_REQUEST', /Host/],
  ['no HTTP', () => 'hello\r\n\r\n', 'MALFORMED_REQUEST'],
  ['TLS', () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]), 'MALFORMED_REQUEST'],
  ['an unknown version', () => 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', 'MALFORMED_REQUEST'],
  ['a broken header', () => call('GET /jobs', 'X Y: z\r\n'), 'MALFORMED_REQUEST'],
  ['a length that is none', () => call('POST /schedule', 'Content-Length: x\r\n'), 'MALFORMED_REQUEST'],
  [
    'two lengths',
    () => call('POST /schedule', 'Content-Length: 1\r\nContent-Length: 2\r\n'),
    'MALFORMED_REQUEST',
  ],
  [
    'a length and chunks',
    () => call('POST /schedule', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
    'MALFORMED_REQUEST',
  ],
  ['an unknown Expect', () => call('GET /jobs', 'Expect: wonders\r\n'), 'MALFORMED_REQUEST', /Expect/],
  ['headers that never end', () => 'GET /jobs HTTP/1.1\r\nHost: localhost\r\nX: y', 'REQUEST_TIMEOUT'],
  [
    'an empty Idempotency-Key',
    () => post('/schedule', '{"prompt": "x"}', 'application/json', 'Idempotency-Key: \r\n'),
    'MALFORMED_REQUEST',
    /Idempotency-Key/,
  ],
  [
    'a long Idempotency-Key',
    () => post('/schedule', '{"prompt": "x"}', 'application/json', `Idempotency-Key: ${'k'.repeat(256)}\r\n`),
    'MALFORMED_REQUEST',
    /255/,
  ],
];

function expectProblem(answer: RawAnswer, code: ErrorCode, words: RegExp = /./) {
  const body = Buffer.from(answer.body, 'latin1').toString('utf8');
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = Problem.parse(JSON.parse(body));
  expect({ code: problem.code, status: answer.status }).toEqual({ code, status: ERRORS[code].status });
  expect(problem.status).toBe(answer.status);
  expect(problem.error).toBe(problem.detail);
  expect(problem.hint).toMatch(/\w/);
  expect(problem.type).toContain(`/docs/errors#${code}`);
  expect(body).toMatch(words);
  expect(answer.status).toBeLessThan(500);
  return problem;
}

describe.each([
  ['a body', BODIES],
  ['a call', CALLS],
])('%s of bad input', (_kind, table) => {
  it.concurrent.each(table)('%s', async (_name, bytes, code, words) => {
    expectProblem(await sendRaw(port, bytes()), code, words);
  });
});

describe('members that do not fit', () => {
  it.concurrent.each(MEMBERS)('%s', async (_name, body, path) => {
    const problem = expectProblem(await sendRaw(port, json(body)), 'INVALID_REQUEST');
    expect(problem.errors?.map((fault) => fault.path)).toContain(path);
  });

  it('lists every fault of a request', async () => {
    const answer = await sendRaw(port, json({ prompt: 1, agent: 2, extra: 3 }));
    const problem = expectProblem(answer, 'INVALID_REQUEST');
    expect(problem.errors?.map(({ path }) => path).sort()).toEqual(['agent', 'extra', 'prompt']);
  });
});

describe('after all that', () => {
  it('the server still answers', async () => {
    expect((await fetch(`${api.url}/status/${job}`)).status).toBe(200);
  });
});
