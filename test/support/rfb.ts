import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A client of a live desktop that sends whatever it is told to, as a patched one would. */
export interface RawRfb {
  socket: WebSocket;
  /** Resolves with the code and the reason that it was closed with. */
  closed: Promise<[code: number, reason: string]>;
  key(keysym: number): void;
  pointer(x: number, y: number, buttons?: number): void;
  send(bytes: Buffer): void;
}

/** Connects and goes through the opening of RFB 3.8. */
export async function openRfb(url: string, headers: Record<string, string> = {}): Promise<RawRfb> {
  const socket = new WebSocket(url, { headers });
  const closed = new Promise<[number, string]>((resolve) => {
    socket.once('close', (code, reason) => resolve([code, reason.toString()]));
  });
  let received = Buffer.alloc(0);
  let wake = (): void => {};
  socket.on('message', (data: Buffer) => {
    received = Buffer.concat([received, data]);
    wake();
  });
  socket.on('error', () => {});
  async function read(bytes: number): Promise<Buffer> {
    while (received.length < bytes) {
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([
        more,
        closed.then(([code, reason]) => Promise.reject(new Error(`closed: ${code} ${reason}`))),
      ]);
    }
    const taken = received.subarray(0, bytes);
    received = received.subarray(bytes);
    return taken;
  }
  await once(socket, 'open');
  await read(12);
  socket.send(Buffer.from('RFB 003.008\n'));
  const [types = 0] = await read(1);
  await read(types);
  socket.send(Buffer.from([1]));
  await read(4);
  socket.send(Buffer.from([0]));
  const init = await read(24);
  await read(init.readUInt32BE(20));
  const send = (bytes: Buffer): void => socket.send(bytes);
  return {
    socket,
    closed,
    send,
    key(keysym) {
      for (const down of [1, 0]) {
        const message = Buffer.from([4, down, 0, 0, 0, 0, 0, 0]);
        message.writeUInt32BE(keysym, 4);
        send(message);
      }
    },
    pointer(x, y, buttons = 0) {
      const message = Buffer.from([5, buttons, 0, 0, 0, 0]);
      message.writeUInt16BE(x, 2);
      message.writeUInt16BE(y, 4);
      send(message);
    },
  };
}
