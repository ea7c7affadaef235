export type OutputStream = 'stdout' | 'stderr';

/** The two streams of a command as text: a character that comes in two pieces is not torn apart. */
export function decodeOutput(tell: (stream: OutputStream, text: string) => Promise<void> | undefined) {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  async function told(stream: OutputStream, text: string): Promise<void> {
    if (text !== '') await tell(stream, text);
  }
  return {
    take: (stream: OutputStream, bytes: Buffer): Promise<void> =>
      told(stream, decoders[stream].decode(bytes, { stream: true })),
    async end(): Promise<void> {
      for (const stream of ['stdout', 'stderr'] as const) await told(stream, decoders[stream].decode());
    },
  };
}
