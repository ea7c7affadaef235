import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sandbox } from '../src/sandbox/sandbox.ts';
import { withSandbox } from './engine.ts';
import { type Row, row, timed } from './row.ts';

const MEGABYTES = 200;
const ROUNDS = 5;
const MEGABYTE = 1_000_000;

/** What the pipe carries: output, files, and egress through the tunnel. */
export function throughput(): Promise<Row[]> {
  return withSandbox(async ({ sandbox, egress }) => {
    const rate = async (action: () => Promise<unknown>, megabytes = MEGABYTES) => {
      const rates: number[] = [];
      for (let i = 0; i < ROUNDS; i++) rates.push(megabytes / ((await timed(action)) / 1_000));
      return rates;
    };
    async function* input(): AsyncGenerator<Buffer> {
      for (let i = 0; i < MEGABYTES; i++) yield Buffer.alloc(MEGABYTE, i);
    }
    const stdout = await rate(() => sandbox.exec({ argv: ['head', '-c', `${MEGABYTES}MB`, '/dev/zero'] }));
    const write = await rate(() => sandbox.write('file', input()));
    const read = await rate(async () => {
      const { bytes } = await sandbox.read('file');
      for await (const _ of bytes);
    });
    const server = await listen();
    egress.assign({ mode: 'public', allow: [] }, () => {});
    const port = (server.address() as AddressInfo).port;
    const download = await rate(() => curl(sandbox, port, MEGABYTES * MEGABYTE));
    const small: number[] = [];
    for (let i = 0; i < 100; i++) small.push(await seconds(sandbox, port));
    server.close();
    return [
      row('stdout', stdout, 'MB/s', `${MEGABYTES} MB each;`, 'high'),
      row('file write', write, 'MB/s', `${MEGABYTES} MB each;`, 'high'),
      row('file read', read, 'MB/s', `${MEGABYTES} MB each;`, 'high'),
      row('egress download', download, 'MB/s', `${MEGABYTES} MB each, curl through the proxy;`, 'high'),
      row('egress small request', small, 'ms', "curl's own total, through the proxy;"),
    ];
  });
}

const CURL = ['curl', '-sSf', '--noproxy', '', '-p', '-o', '/dev/null', '-w', '%{time_total}'];

async function curl(sandbox: Sandbox, port: number, bytes: number): Promise<string> {
  let printed = '';
  const { exit_code } = await sandbox.exec(
    { argv: [...CURL, `http://127.0.0.1:${port}/${bytes}`] },
    {
      onOutput: (_stream, piece) => {
        printed += piece.toString();
      },
    },
  );
  if (exit_code !== 0) throw new Error(`curl ended with ${exit_code}: ${printed}`);
  return printed;
}

const seconds = async (sandbox: Sandbox, port: number): Promise<number> =>
  Number(await curl(sandbox, port, 10)) * 1_000;

/** Answers /N with N bytes. */
async function listen(): Promise<Server> {
  const piece = Buffer.alloc(MEGABYTE);
  const server = createServer(async (request, response) => {
    let left = Number(request.url?.slice(1));
    response.setHeader('content-length', left);
    while (left > 0) {
      const next = piece.subarray(0, left);
      left -= next.length;
      if (!response.write(next)) await once(response, 'drain');
    }
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
