import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends bytes as they are and reads until the answer is whole or the server closes.
 * @throws Error where the server closes without an answer, or does not answer within `ms`.
 */
export function sendRaw(port: number, bytes: string | Buffer, ms = 5_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const timer = setTimeout(
      () => end(new Error(`expected an answer within ${ms} ms; found ${JSON.stringify(text)}`)),
      ms,
    );
    const end = (error: Error | null) => {
      clearTimeout(timer);
      socket.destroy();
      const answer = parse(text);
      if (answer) resolve(answer);
      else reject(error ?? new Error(`expected an answer; the server closed after ${JSON.stringify(text)}`));
    };
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (data: string) => {
      text += data;
      const answer = parse(text);
      if (
        answer &&
        answer.body.length >= Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY)
      )
        end(null);
    });
    socket.on('error', (error) => end(error));
    socket.on('close', () => end(null));
  });
}

function parse(text: string): RawAnswer | null {
  const split = text.indexOf('\r\n\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  if (split === -1 || status === undefined) return null;
  if (status === '100') return parse(text.slice(split + 4));
  const headers = Object.fromEntries(
    text
      .slice(0, split)
      .split('\r\n')
      .slice(1)
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
  return { status: Number(status), headers, body: text.slice(split + 4) };
}
