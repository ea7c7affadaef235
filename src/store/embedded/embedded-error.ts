/** The embedded PostgreSQL cannot be started; the message says what was expected, what was found, and what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
}

/** Another server has the data folder. */
export class ServerRunning extends Error {
  override readonly name = 'ServerRunning';
}
