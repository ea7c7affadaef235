import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { SANDBOX_PATHS } from '../../protocol/sandboxd.ts';
import type { Channel } from '../driver.ts';
import { answered } from './engine.ts';
import { ExecStream } from './exec-stream.ts';

const SOCKETS: Record<Channel, string> = {
  api: SANDBOX_PATHS.apiSocket,
  egress: SANDBOX_PATHS.egressSocket,
};
/** How often, and how long apart in seconds, the relay tries a socket that is not there yet: 20 s in all. */
const TRIES = 2_000;
const PAUSE_S = 0.01;
/** How long the relay still carries what sandboxd sends after the worker has hung up. */
const LINGER_S = 2;
const BLOCK_BYTES = 65_536;

function relayCommand(channel: Channel): string[] {
  const target = `UNIX-CONNECT:${SOCKETS[channel]},retry=${TRIES},interval=${PAUSE_S}`;
  return [`${SANDBOX_PATHS.runtime}/bin/socat`, '-b', `${BLOCK_BYTES}`, '-t', `${LINGER_S}`, 'STDIO', target];
}

/**
 * Starts the relay to one of sandboxd's sockets inside a container. The stream can be written to at once; what is
 * written waits until sandboxd listens. The relay ends when the stream does, since its stdin closes then.
 * The signal counts until the stream is handed out.
 * @throws what the engine's client throws; the signal's reason.
 */
export async function openRelay(
  docker: Docker,
  container: string,
  channel: Channel,
  signal?: AbortSignal,
): Promise<Duplex> {
  const exec = await answered(
    docker.getContainer(container).exec({
      Cmd: relayCommand(channel),
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
    }),
  );
  signal?.throwIfAborted();
  // The client's own abort signal does not end a stream that the engine has already handed over.
  const opening = exec.start({ hijack: true, stdin: true, Tty: false });
  const stream = answered(opening).then((socket) => new ExecStream(socket));
  if (!signal) return stream;
  return await new Promise<Duplex>((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      stream.then(
        (late) => late.destroy(),
        () => {},
      );
    };
    signal.addEventListener('abort', abort, { once: true });
    stream.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
