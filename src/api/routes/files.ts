import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { isFinal, type Job } from '../../protocol/job.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { EXAMPLE_FILE } from '../examples.ts';
import { fileHeaders } from '../files/file-headers.ts';
import { filePath } from '../files/file-path.ts';
import { readKept } from '../files/kept-files.ts';
import { ListedFile, Listing } from '../files/listing.ts';
import { existsLive, inWorkspace, listed, listLive } from '../files/live-files.ts';
import { findJob } from '../find-job.ts';
import type { RouteDocs } from '../openapi/route-docs.ts';
import type { Api, App } from '../options.ts';
import { parseRange } from '../range.ts';
import { flag, flagOff, JobParams, NoQuery } from '../schemas.ts';
import { outputOf } from './download.ts';

const FileParams = JobParams.extend({ '*': z.string().optional() });

const GET_DOCS: RouteDocs = {
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
const WRITE_ERRORS = [
  'JOB_NOT_FOUND',
  'INVALID_PATH',
  'JOB_ENDED',
  'SANDBOX_NOT_LIVE',
  'PERMISSION_DENIED',
  'CONNECTION_LOST',
] as const;

export function filesRoutes(app: App, api: Api): void {
  for (const url of ['/files/:id', '/files/:id/*']) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      exposeHeadRoute: false,
      schema: { params: FileParams, querystring: NoQuery, response: { 200: Listing } },
      config: url.endsWith('*') ? { docs: GET_DOCS } : {},
      handler: async (request, reply) => {
        const path = filePath(request.url);
        const job = await findJob(api.store, request.params.id);
        if (isFinal(job.status)) return sendKept(api, job, path, request, reply);
        return sendLive(api, await sandboxOf(api, job), path, request, reply);
      },
    });
  }

  app.put(
    '/files/:id/*',
    {
      schema: {
        params: FileParams,
        querystring: z.strictObject({ executable: flag().optional().describe('Whether it can be run.') }),
        response: { 200: ListedFile, 201: ListedFile },
      },
      config: {
        streamed: true,
        docs: {
          id: 'putFile',
          tag: 'While it runs',
          summary: 'Write a file into a live workspace',
          description:
            'The body is its bytes, whatever its type. Written whole or not at all; missing folders are made.',
          answer: 'The file as it is now; 201 where there was none.',
          example: EXAMPLE_FILE,
          bodies: { 'application/octet-stream': { schema: 'binary' } },
          errors: [
            ...WRITE_ERRORS,
            'BODY_TOO_LARGE',
            'IS_A_DIRECTORY',
            'NOT_A_DIRECTORY',
            'NO_SPACE',
            'INVALID_REQUEST',
          ],
        },
      },
    },
    async (request, reply) => {
      const path = fileOnly(request.url);
      const sandbox = await writableSandbox(api, request.params.id);
      const signal = api.streams.signalOf(reply);
      const existed = await existsLive(sandbox, path, signal);
      const body = limited(request, api.config.MAX_UPLOAD_MB);
      const { executable } = request.query;
      const info = await sandbox.write(inWorkspace(path), body, {
        signal,
        ...(executable !== undefined && { mode: executable ? 0o755 : 0o644 }),
      });
      return reply.code(existed ? 200 : 201).send({ ...listed(info, ''), path });
    },
  );

  app.delete(
    '/files/:id/*',
    {
      schema: {
        params: FileParams,
        querystring: z.strictObject({
          recursive: flagOff().describe('Whether a folder goes with all in it.'),
        }),
      },
      config: {
        docs: {
          id: 'deleteFile',
          tag: 'While it runs',
          summary: 'Remove a file or folder of a live workspace',
          answers: { 204: { description: 'It is gone.' } },
          errors: [...WRITE_ERRORS, 'PATH_NOT_FOUND', 'IS_A_DIRECTORY', 'INVALID_REQUEST'],
        },
      },
    },
    async (request, reply) => {
      const path = fileOnly(request.url);
      const sandbox = await writableSandbox(api, request.params.id);
      const { recursive } = request.query;
      await sandbox.remove(inWorkspace(path), { recursive, signal: api.streams.signalOf(reply) });
      return reply.code(204).send();
    },
  );
}

function fileOnly(url: string): string {
  const path = filePath(url);
  if (path === '')
    throw new CodedError('INVALID_PATH', 'expected the path of a file below the workspace; found none');
  return path;
}

async function sandboxOf(api: Api, job: Job): Promise<Sandbox> {
  const sandbox = await api.live(job);
  if (sandbox) return sandbox;
  throw new CodedError(
    'SANDBOX_NOT_LIVE',
    `the job is ${job.status} and has no sandbox that can be reached now`,
  );
}

async function writableSandbox(api: Api, id: string): Promise<Sandbox> {
  const job = await findJob(api.store, id);
  if (isFinal(job.status)) {
    throw new CodedError(
      'JOB_ENDED',
      `the job has ended as ${job.status}; its kept output cannot be changed`,
    );
  }
  return sandboxOf(api, job);
}

async function sendLive(
  api: Api,
  sandbox: Sandbox,
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const signal = api.streams.signalOf(reply);
  const info = await sandbox.stat(inWorkspace(path), { signal });
  const target = info.type === 'symlink' ? await typeBehind(sandbox, path, signal) : info.type;
  if (target === 'directory') return listLive(sandbox, path, signal);
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
  reply.header('content-length', kept.info.size);
  if (request.method !== 'HEAD') return reply.send(kept.bytes);
  kept.bytes.destroy();
  return reply.send();
}

/** The body as it comes, up to the limit of uploads. */
function limited(request: FastifyRequest, maxMb: number): AsyncIterable<Buffer> | Buffer {
  const max = maxMb * 2 ** 20;
  const tooLarge = () =>
    new CodedError('BODY_TOO_LARGE', `expected a file of at most ${maxMb} MiB (MAX_UPLOAD_MB)`);
  if (Number(request.headers['content-length'] ?? 0) > max) throw tooLarge();
  const body = request.body;
  if (!(body instanceof Readable)) return Buffer.alloc(0);
  return (async function* () {
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > max) throw tooLarge();
      yield chunk;
    }
  })();
}
