/** What every call into a sandbox takes. */
export interface CallOptions {
  /** Ends the call; what it had started is killed unless it is a background process. */
  signal?: AbortSignal;
}
