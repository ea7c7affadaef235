const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
/** A connection that has lasted this long counts as a good one. */
const GOOD_MS = 5_000;

/**
 * Connects again each time that the connection is over, after pauses that grow while it fails.
 * @param connect resolves when the connection is over: to true when it is not to be made again.
 * @param onPause told how long the next pause is.
 */
export async function keepConnected(
  connect: () => Promise<boolean>,
  onPause: (ms: number) => void,
): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const began = performance.now();
    if (await connect()) return;
    if (performance.now() - began > GOOD_MS) pause = FIRST_PAUSE_MS;
    onPause(pause);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
