const streams = (): NodeJS.WriteStream[] => [process.stdout, process.stderr];

/**
 * Makes writes to stdout and stderr wait until they have left the process, so that output never piles up in it and stays in
 * order with that of child processes. To be done before each cell: a child that was given them leaves them changed.
 * Node.js has no public way to it but for terminals and files, where it is so by itself.
 */
export function makeBlocking(): void {
  for (const stream of streams()) {
    const { _handle: handle } = stream as { _handle?: { setBlocking?(on: boolean): void } };
    handle?.setBlocking?.(true);
  }
}

/** Waits until what was printed has left the process. */
export async function flush(): Promise<void> {
  for (const stream of streams())
    if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
