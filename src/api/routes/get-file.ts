import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { isFinal, type Job } from '../../protocol/job.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { EXAMPLE_FILE } from '../examples.ts';
import { FileParams, sandboxOf } from '../files/file-calls.ts';
import { fileHeaders } from '../files/file-headers.ts';
import { filePath } from '../files/file-path.ts';
import { readKept } from '../files/kept-files.ts';
import { ListedFile, Listing } from '../files/listing.ts';
import { inWorkspace, listed, listLive } from '../files/live-files.ts';
import { findJob } from '../find-job.ts';
import type { RouteDocs } from '../openapi/route-docs.ts';
import type { Api, App } from '../options.ts';
import { parseRange } from '../range.ts';
import { flagOff, wholeNumberOr } from '../schemas.ts';
import { sendBytes } from '../send-bytes.ts';
import { outputOf } from './download.ts';

const FileQuery = z.strictObject({
  depth: wholeNumberOr(1, 1, 64).describe(
    'Of a live folder: 1 lists what is right in it, 2 also what is in those folders, and so on.',
  ),
  stat: flagOff().describe('Tells what a live file or folder is, without its content.'),
});
const Answer = z.union([Listing, ListedFile]);

const DOCS: RouteDocs = {
  id: 'getFile',
  tag: 'While it runs',
  summary: 'A file of the workspace, or the list of a folder',
  description: 'From the live sandbox while the job runs, from the kept output after it.',
  answer: 'A folder as a list, a file as its bytes.',
  example: { path: 'src', entries: [EXAMPLE_FILE], truncated: false },
  headers: { Range: 'A part of a file of a live sandbox.' },
  answers: {
    200: {
      description: 'A folder as a list, a file as its bytes.',
      type: 'application/octet-stream',
      form: 'binary',
    },
    206: { description: 'The part asked for.', type: 'application/octet-stream', form: 'binary' },
  },
  errors: [
    'JOB_NOT_FOUND',
    'INVALID_PATH',
    'FILE_NOT_FOUND',
    'PATH_NOT_FOUND',
    'PERMISSION_DENIED',
    'SANDBOX_NOT_LIVE',
    'NOT_A_FILE',
    'NO_OUTPUT',
    'OUTPUT_EXPIRED',
    'RANGE_NOT_SATISFIABLE',
    'CONNECTION_LOST',
  ],
};

export function getFileRoute(app: App, api: Api): void {
  for (const url of ['/files/:id', '/files/:id/*']) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      exposeHeadRoute: false,
      schema: { params: FileParams, querystring: FileQuery, response: { 200: Answer } },
      config: url.endsWith('*') ? { docs: DOCS } : {},
      handler: async (request, reply) => {
        const path = filePath(request.url);
        const job = await findJob(api.store, request.params.id);
        if (isFinal(job.status)) return sendKept(api, job, path, request, reply);
        return sendLive(api, await sandboxOf(api, job), { path, ...request.query }, request, reply);
      },
    });
  }
}

async function sendLive(
  api: Api,
  sandbox: Sandbox,
  { path, depth, stat }: { path: string } & z.infer<typeof FileQuery>,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const signal = api.streams.signalOf(reply);
  const info = await sandbox.stat(inWorkspace(path), { signal });
  if (stat) return { ...listed(info, ''), path };
  const target = info.type === 'symlink' ? await typeBehind(sandbox, path, signal) : info.type;
  if (target === 'directory') return listLive(sandbox, path, { depth, signal });
  const range = parseRange(request.headers.range, info.size);
  fileHeaders(reply, path);
  reply.header('accept-ranges', 'bytes');
  if (range) reply.code(206).header('content-range', `bytes ${range.from}-${range.to - 1}/${info.size}`);
  if (request.method === 'HEAD') return reply.send();
  // Without a length: a live file can change while it is read, and a broken promise of one would break the connection.
  const part = range && { offset: range.from, length: range.to - range.from };
  const { bytes } = await sandbox.read(inWorkspace(path), { signal, ...part });
  return reply.send(bytes);
}

/** Reading follows symlinks, so one to a folder is listed like the folder. */
async function typeBehind(
  sandbox: Sandbox,
  path: string,
  signal: AbortSignal,
): Promise<'directory' | 'file'> {
  try {
    await sandbox.list(inWorkspace(path), { signal, limit: 1 });
    return 'directory';
  } catch (error) {
    if (error instanceof CodedError && error.code === 'NOT_A_DIRECTORY') return 'file';
    throw error;
  }
}

async function sendKept(api: Api, job: Job, path: string, request: FastifyRequest, reply: FastifyReply) {
  outputOf(job);
  const zipPath = api.store.artifacts.outputPath(job.id);
  const kept = await readKept(zipPath, path, api.config.MAX_OUTPUT_MB * 2 ** 20);
  if (kept.kind === 'folder') return kept.listing;
  fileHeaders(reply, path);
  let taken = false;
  try {
    return await sendBytes(request, reply, kept.info.size, ({ from, to }) => {
      taken = true;
      return part(kept.bytes, from, to);
    });
  } finally {
    if (!taken) kept.bytes.destroy();
  }
}

/** A part of what can only be read from its beginning, as what is compressed. */
async function* part(bytes: Readable, from: number, to: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const piece = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += chunk.length;
    if (piece.length > 0) yield piece;
    if (at >= to) return;
  }
}
