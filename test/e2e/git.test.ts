import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { dataOf, runbook, startTestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

const exec = promisify(execFile);
/** An address of this machine that programs do not take for the sandbox's own, as they do loopback. */
const HOST = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

let folder: string;
let first: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const git = (...args: string[]) =>
    exec('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: join(folder, 'repo.git'),
    });
  await exec('git', ['init', '-q', '-b', 'main', join(folder, 'repo.git')]);
  await writeFile(join(folder, 'repo.git/file.txt'), 'one\n');
  await git('add', '.');
  await git('commit', '-qm', 'one');
  first = (await git('rev-parse', 'HEAD')).stdout.trim();
  await git('tag', 'v1');
  await writeFile(join(folder, 'repo.git/file.txt'), 'two\n');
  await git('commit', '-qam', 'two');
});

/** Serves the repository as git servers do; gives the port and the credentials that were sent. */
async function startGitServer(user?: string) {
  const sent: string[] = [];
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    if (authorization) sent.push(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString());
    if (user !== undefined && sent.at(-1) !== user) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    void backend(request, response);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sent };
}

/** git's own program for web servers. */
async function backend(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://host');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(child.stdin);
  const said = await buffer(child.stdout);
  const end = said.indexOf('\r\n\r\n');
  for (const line of said.subarray(0, end).toString().split('\r\n')) {
    const [name = '', value = ''] = line.split(': ');
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.end(said.subarray(end + 4));
}

const NO_ADDRESS = { meta: { reason: 'this machine has no address but loopback' } };

test.skipIf(HOST === undefined).each([
  ['the newest commit without history', null, 'two', '1'],
  ['a tag', 'v1', 'one', '1'],
  ['a commit', 'FIRST', 'one', '1'],
])('clones %s', NO_ADDRESS, async (_, ref, content, commits) => {
  const server = await startTestServer({ EGRESS_PRIVATE_ALLOW: `${HOST}/32` });
  const { port } = await startGitServer();
  const git = { url: `http://${HOST}:${port}/repo.git`, ...(ref && { ref: ref === 'FIRST' ? first : ref }) };
  const { id, status } = await server.run({
    prompt: runbook('cat file.txt extra.txt; git rev-list --count HEAD; git status --short'),
    git,
    files: [{ path: 'extra.txt', content: 'extra\n' }],
  });
  expect(status.error).toBeNull();
  const log = await server.log(id);
  expect(log).toContain(`${content}\nextra\n${commits}\n?? extra.txt\n`);
});

test.skipIf(HOST === undefined)(
  'credentials of the URL are used and kept out of everything',
  NO_ADDRESS,
  async () => {
    const server = await startTestServer({ EGRESS_PRIVATE_ALLOW: `${HOST}/32` });
    const { port, sent } = await startGitServer('robot:pa55-word');
    const { id, events, status } = await server.run({
      prompt: runbook('cat file.txt; git remote -v'),
      git: { url: `http://robot:pa55-word@${HOST}:${port}/repo.git` },
      output: { include: ['**'], exclude: [] },
    });
    expect(status.status).toBe('complete');
    expect(sent).toContain('robot:pa55-word');
    const { text, paths } = await unpackOutput(server, id);
    const config = paths.includes('.git/config') ? await text('.git/config') : '';
    const shown = [JSON.stringify(events), await server.log(id), await server.log(id, 'stderr'), config].join(
      '\n',
    );
    expect(shown).not.toContain('pa55-word');
    expect(dataOf(events, 'input.ready')[0]?.git).toBe(`http://${HOST}:${port}/repo.git`);
  },
);

test.skipIf(HOST === undefined)('a clone that fails says what git said', NO_ADDRESS, async () => {
  const server = await startTestServer({ EGRESS_PRIVATE_ALLOW: `${HOST}/32` });
  const { port } = await startGitServer();
  const url = `http://${HOST}:${port}/repo.git`;
  const { status } = await server.run({ prompt: runbook('true'), git: { url, ref: 'no-such-branch' } });
  expect(status).toMatchObject({ status: 'failed', error: { code: 'GIT_CLONE_FAILED' } });
  expect(status.error?.message).toContain('no-such-branch');
});
