import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { constants } from 'node:http2';
import { CodedError, type ErrorCode, ErrorInfo } from '../../protocol/errors.ts';
import {
  decodeFrames,
  encodeJson,
  FRAME,
  type Frame,
  frameHeader,
  MAX_DATA_BYTES,
} from '../../protocol/frames.ts';

export interface CallRequest {
  path: string;
  args: unknown;
  /** What follows the arguments; without it the call takes no bytes. */
  input?: AsyncIterable<Buffer> | Buffer | undefined;
  signal?: AbortSignal | undefined;
}

/** What sandboxd may answer with: a code that means something about the job or the server is not its to give. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'PATH_NOT_FOUND',
  'PATH_EXISTS',
  'IS_A_DIRECTORY',
  'NOT_A_DIRECTORY',
  'NOT_A_FILE',
  'PERMISSION_DENIED',
  'NO_SPACE',
  'COMMAND_NOT_FOUND',
  'PROCESS_NOT_FOUND',
  'TOO_MANY_PROCESSES',
  'CONNECTION_LOST',
  'INTERNAL',
]);

/**
 * The frames that a call answers with. Ends only when the trailer says that the call has succeeded; leaving early
 * ends the call, and with it what it had started.
 * @throws CodedError what the trailer says, or CONNECTION_LOST when there is none; the signal's reason.
 */
export async function* call(session: ClientHttp2Session, request: CallRequest): AsyncGenerator<Frame> {
  const { path, args, input, signal } = request;
  signal?.throwIfAborted();
  const stream = open(session, path);
  let trailer: IncomingHttpHeaders | undefined;
  let failure: unknown;
  stream.on('trailers', (headers) => {
    trailer = headers;
  });
  stream.on('error', (error) => {
    failure ??= error;
  });
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  const onAbort = () => stream.close(constants.NGHTTP2_CANCEL);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const sent = send(stream, args, input);
    sent.catch((error) => {
      failure ??= error;
      stream.close(constants.NGHTTP2_CANCEL);
    });
    try {
      yield* decodeFrames(stream);
    } catch (error) {
      failure ??= error;
    }
    // The trailer comes with the end of the stream, perhaps after its last byte has been read.
    if (!trailer && !stream.closed) await closed;
    signal?.throwIfAborted();
    if (trailer?.['x-status'] === 'ok' && failure === undefined) return;
    throw trailer?.['x-status'] === 'error' ? refusal(trailer) : cut(path, failure);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  }
}

function open(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  try {
    return session.request({ ':method': 'POST', ':path': path }, { endStream: false });
  } catch (error) {
    throw cut(path, error);
  }
}

/** The arguments, then the bytes with an empty frame behind them: so the other side knows that they are whole. */
async function send(stream: ClientHttp2Stream, args: unknown, input: CallRequest['input']): Promise<void> {
  stream.write(encodeJson(args));
  for await (const bytes of Buffer.isBuffer(input) ? [input] : (input ?? [])) {
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const piece = bytes.subarray(at, at + MAX_DATA_BYTES);
      stream.write(frameHeader(FRAME.data, piece.length));
      if (!stream.write(piece)) await room(stream);
      // It has ended without taking the rest: its trailer says why.
      if (stream.destroyed || stream.closed) return;
    }
  }
  if (input !== undefined) stream.write(frameHeader(FRAME.data, 0));
  stream.end();
}

function room(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off('drain', settle).off('close', settle).off('end', settle);
      resolve();
    };
    stream.on('drain', settle).on('close', settle).on('end', settle);
  });
}

function refusal(trailer: IncomingHttpHeaders): CodedError {
  try {
    const json = Buffer.from(String(trailer['x-error']), 'base64url').toString();
    const { code, message, hint } = ErrorInfo.parse(JSON.parse(json));
    return new CodedError(ANSWERS.has(code) ? code : 'INTERNAL', message, { hint });
  } catch (cause) {
    return new CodedError('CONNECTION_LOST', 'The sandbox answered with an error that cannot be read.', {
      cause,
    });
  }
}

function cut(path: string, cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  return new CodedError('CONNECTION_LOST', `The connection to the sandbox was cut during ${path}.`, {
    cause,
  });
}
