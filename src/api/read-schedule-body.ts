import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { CodedError } from '../protocol/errors.ts';
import { type AcceptedRequest, InputFile, ScheduleRequest } from '../protocol/job.ts';
import { parseJsonObject } from './json.ts';
import { checked, invalid } from './validate.ts';

const MAX_FILES = 10_000;

/** Takes the bytes of an uploaded file to where inputs are staged. */
export type StageFile = (path: string, bytes: AsyncIterable<Buffer>) => Promise<void>;

export interface ScheduleBody {
  request: ScheduleRequest;
  uploads: (AcceptedRequest['files'][number] & { sha256: string })[];
}

interface UploadLimits {
  maxJsonBytes: number;
  maxUploadBytes: number;
}

/**
 * Reads a multipart body: a part `request` with the JSON, and file parts named `files`, whose filename is the path,
 * or `files[PATH]`. Files go to `stage` as they come, and are never held in memory.
 * @throws CodedError MALFORMED_REQUEST, MALFORMED_JSON, BODY_TOO_LARGE, INVALID_REQUEST.
 */
export async function readMultipart(
  request: FastifyRequest,
  limits: UploadLimits,
  stage: StageFile,
): Promise<ScheduleBody> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limits.maxUploadBytes) throw tooLarge(limits.maxUploadBytes);
  const budget = { left: limits.maxUploadBytes };
  const uploads: ScheduleBody['uploads'] = [];
  const seen = new Set<string>();
  let json: Buffer | null = null;
  try {
    for await (const part of request.files(PART_OPTIONS)) {
      const bytes = counted(part.file, budget, limits.maxUploadBytes);
      if (part.fieldname === 'request') {
        if (json) throw invalid([{ path: 'request', message: 'expected this part once; found it twice' }]);
        json = await collect(bytes, limits.maxJsonBytes);
        continue;
      }
      const path = pathOf(part.fieldname, part.filename);
      if (seen.has(path))
        throw invalid([{ path: 'files', message: `expected each path once; found "${path}" twice` }]);
      seen.add(path);
      uploads.push(await stageOne(path, bytes, stage));
    }
  } catch (error) {
    throw error instanceof CodedError || !isParserError(error) ? error : malformed(error);
  }
  if (!json)
    throw invalid([
      { path: 'request', message: 'expected a part named "request" with the JSON; it is missing' },
    ]);
  return { request: checked(ScheduleRequest, parseJsonObject(json), 'part "request"'), uploads };
}

/** Every part is read as a stream, the JSON too: the parser's own fields would parse it less strictly. */
const PART_OPTIONS = {
  isPartAFile: () => true,
  preservePath: true,
  throwFileSizeLimit: false,
  limits: {
    fieldNameSize: 5_000,
    fields: 0,
    files: MAX_FILES + 1,
    parts: MAX_FILES + 1,
    fileSize: Number.POSITIVE_INFINITY,
    headerPairs: 20,
  },
};

async function stageOne(path: string, bytes: AsyncIterable<Buffer>, stage: StageFile) {
  const hash = createHash('sha256');
  let size = 0;
  await stage(
    path,
    (async function* () {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    })(),
  );
  return { path, bytes: size, executable: false, sha256: hash.digest('hex') };
}

function pathOf(field: string, filename: string | undefined): string {
  const path = /^files\[(.+)\]$/s.exec(field)?.[1] ?? (field === 'files' ? filename : undefined);
  if (path === undefined) {
    throw invalid([
      {
        path: field.slice(0, 100),
        message: 'expected parts "request", "files" with a filename, or "files[PATH]"; this one is unknown',
      },
    ]);
  }
  const { success, data } = InputFile.shape.path.safeParse(path);
  if (!success || path.includes('\uFFFD')) {
    throw invalid([
      {
        path: 'files',
        message: 'expected filenames that are paths relative to the workspace, in UTF-8, without ".."',
      },
    ]);
  }
  return data;
}

async function* counted(file: Readable, budget: { left: number }, max: number): AsyncGenerator<Buffer> {
  for await (const chunk of file) {
    budget.left -= chunk.length;
    if (budget.left < 0) throw tooLarge(max);
    yield chunk;
  }
}

async function collect(bytes: AsyncIterable<Buffer>, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > max) {
      throw new CodedError(
        'BODY_TOO_LARGE',
        `part "request": expected at most ${max >> 20} MiB (MAX_BODY_MB)`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLarge = (max: number) =>
  new CodedError(
    'BODY_TOO_LARGE',
    `expected a body of at most ${Math.floor(max / 2 ** 20)} MiB (MAX_UPLOAD_MB)`,
    {
      hint: 'Fetch large files inside the sandbox instead, or let the operator raise MAX_UPLOAD_MB.',
    },
  );

const malformed = (cause: unknown) =>
  new CodedError('MALFORMED_REQUEST', 'the multipart body is broken or ends too early', {
    cause,
    hint: 'Send multipart/form-data with its boundary, each part ended; an HTTP library does that.',
  });

/** The parser throws plain errors with its own words; what staging throws has a system's or our code. */
function isParserError(error: unknown): boolean {
  const { code = '' } = error as { code?: string };
  return code === '' || code.startsWith('FST_') || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
