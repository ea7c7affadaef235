import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { CodedError, type ErrorCode, ErrorInfo } from '../../protocol/errors.ts';
import { decodeFrames, encodeJson, type Frame } from '../../protocol/frames.ts';
import { sendBytes } from './send-bytes.ts';

export interface CallRequest {
  path: string;
  args: unknown;
  /** Bytes that go with it, such as a file's. What the source throws ends the call and is what it fails with. */
  input?: AsyncIterable<Buffer> | undefined;
  /** Ends the call at once. */
  signal?: AbortSignal | undefined;
}

/** What a sandbox may answer with: a code that says something of the job or the server is not its to give. */
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
  'WINDOW_NOT_FOUND',
  'DESKTOP_FAILED',
  'PORT_NOT_OPEN',
  'WATCH_TOO_LARGE',
  'KERNEL_UNKNOWN',
  'KERNEL_START_FAILED',
  'CONNECTION_LOST',
]);

/**
 * Makes a call and gives the frames of its answer as they come. To stop reading is to end the call.
 * @throws CodedError with sandboxd's code; CONNECTION_LOST when the call was cut, however orderly that looked; the
 * signal's reason.
 */
export async function* callFrames(session: ClientHttp2Session, request: CallRequest): AsyncGenerator<Frame> {
  const { signal } = request;
  signal?.throwIfAborted();
  const stream = openStream(session, request.path);
  let trailers: IncomingHttpHeaders | null = null;
  let failure: unknown = null;
  stream.once('trailers', (headers: IncomingHttpHeaders) => {
    trailers = headers;
  });
  stream.on('error', () => {});
  function stop(reason: unknown): void {
    failure ??= reason;
    stream.destroy();
  }
  const abort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  void sendBytes(stream, encodeJson(request.args), request.input).catch(stop);
  try {
    yield* decodeFrames(stream);
    if (failure === null) check(trailers, request.path);
  } catch (error) {
    failure ??= error instanceof CodedError ? error : lost(request.path, error);
  } finally {
    signal?.removeEventListener('abort', abort);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  }
  if (failure !== null) throw failure;
}

function openStream(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  try {
    return session.request({ ':method': 'POST', ':path': path }, { endStream: false });
  } catch (error) {
    throw lost(path, error);
  }
}

/** A peer that is killed ends its stream as one does that has finished: only the trailers tell. */
function check(trailers: IncomingHttpHeaders | null, path: string): void {
  const status = trailers?.['x-status'];
  if (status === 'ok') return;
  if (status !== 'error') throw lost(path, null);
  throw toCodedError(String(trailers?.['x-error'] ?? ''));
}

function toCodedError(encoded: string): CodedError {
  const parsed = ErrorInfo.safeParse(parseJson(Buffer.from(encoded, 'base64url').toString()));
  if (!parsed.success) return new CodedError('INTERNAL', 'The sandbox failed and gave no readable reason.');
  const { code, message, hint } = parsed.data;
  return new CodedError(ANSWERS.has(code) ? code : 'INTERNAL', message, { hint });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lost(path: string, cause: unknown): CodedError {
  return new CodedError('CONNECTION_LOST', `The call ${path} was cut.`, { cause });
}
