import type { Duplex } from 'node:stream';
import { type ListeningPort, PORT_CALLS, PortList } from '../../protocol/ports.ts';
import type { CallOptions } from '../sandbox.ts';
import { callForOne } from './answer.ts';
import type { Link } from './link.ts';
import { openTunnel } from './tunnel.ts';

/** Connects to a port of the sandbox's loopback. */
export function openPort(link: Link, port: number, options?: CallOptions): Promise<Duplex> {
  return openTunnel(link, { path: PORT_CALLS.open, args: { port } }, options);
}

/** Lists the ports that programs listen on. */
export async function listPorts(link: Link, { signal }: CallOptions = {}): Promise<ListeningPort[]> {
  const request = { path: PORT_CALLS.list, args: {}, signal };
  return (await callForOne(await link.session(signal), request, PortList)).ports;
}
