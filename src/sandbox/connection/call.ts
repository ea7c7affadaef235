import { CodedError, type ErrorCode, ErrorInfo } from '../../protocol/errors.ts';
import { CALL_OK, decodeFrames, encodeJson, type Frame } from '../../protocol/frames.ts';
import type { Mux } from '../../protocol/mux/mux.ts';
import type { MuxStream } from '../../protocol/mux/stream.ts';
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
export async function* callFrames(session: Mux, request: CallRequest): AsyncGenerator<Frame> {
  const { signal } = request;
  signal?.throwIfAborted();
  const stream = openStream(session, request.path);
  let failure: unknown = null;
  function stop(reason: unknown): void {
    failure ??= reason;
    stream.destroy();
  }
  const abort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  void sendBytes(stream, encodeJson(request.args), request.input).catch(stop);
  try {
    yield* decodeFrames(stream);
    if (failure === null) check(stream.peerWord, request.path);
  } catch (error) {
    failure ??= error instanceof CodedError ? error : lost(request.path, error);
  } finally {
    signal?.removeEventListener('abort', abort);
    stream.destroy();
  }
  if (failure !== null) throw failure;
}

function openStream(session: Mux, path: string): MuxStream {
  try {
    return session.open(path);
  } catch (error) {
    throw lost(path, error);
  }
}

/** What was cut has no last word; what ended says how. */
function check(word: string | null, path: string): void {
  if (word === CALL_OK) return;
  if (!word) throw lost(path, null);
  const parsed = ErrorInfo.safeParse(parseJson(word));
  if (!parsed.success) throw new CodedError('INTERNAL', 'The sandbox failed and gave no readable reason.');
  const { code, message, hint } = parsed.data;
  throw new CodedError(ANSWERS.has(code) ? code : 'INTERNAL', message, { hint });
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
