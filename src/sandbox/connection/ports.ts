import type { Duplex } from 'node:stream';
import { type ListeningPort, PORT_CALLS, PortList, PortMessage } from '../../protocol/ports.ts';
import type { CallOptions } from '../sandbox.ts';
import { callForOne, parseFrame } from './answer.ts';
import { openCallStream } from './call-stream.ts';
import type { Link } from './link.ts';

/** Connects to a port of the sandbox's loopback. */
export async function openPort(link: Link, port: number, { signal }: CallOptions = {}): Promise<Duplex> {
  const { stream } = await openCallStream(await link.session(signal), {
    path: PORT_CALLS.open,
    args: { port },
    first: PortMessage,
    onMessage(frame, end) {
      if (parseFrame(PortMessage, frame).event === 'ended') end();
    },
    signal,
  });
  return stream;
}

/** Lists the ports that programs listen on. */
export async function listPorts(link: Link, { signal }: CallOptions = {}): Promise<ListeningPort[]> {
  const request = { path: PORT_CALLS.list, args: {}, signal };
  return (await callForOne(await link.session(signal), request, PortList)).ports;
}
