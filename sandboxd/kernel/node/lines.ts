import type { Socket } from 'node:net';

const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** Calls with each line of a socket, parsed as JSON; one that is longer than anyone needs ends the socket. */
export function readLines(socket: Socket, onLine: (value: unknown) => void): void {
  let pieces: Buffer[] = [];
  let held = 0;
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...pieces, rest.subarray(0, end)]).toString();
      pieces = [];
      held = 0;
      rest = rest.subarray(end + 1);
      const value = parse(line);
      if (value !== undefined) onLine(value);
    }
    held += rest.length;
    if (held > MAX_LINE_BYTES) socket.destroy();
    else if (rest.length > 0) pieces.push(rest);
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
