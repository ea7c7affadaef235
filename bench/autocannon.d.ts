/** The part of autocannon that the benches use; it has no types of its own. */
declare module 'autocannon' {
  /** Numbers of a second each, or of a request each, by percentile. */
  interface Histogram {
    average: number;
    p1: number;
    p50: number;
    p99: number;
  }
  interface Result {
    requests: Histogram;
    /** Milliseconds. */
    latency: Histogram;
    non2xx: number;
    errors: number;
  }
  export default function autocannon(options: {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Threads of the client. */
    workers: number;
  }): Promise<Result>;
}
