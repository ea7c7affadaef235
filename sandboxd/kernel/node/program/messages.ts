/** Between the thread that listens and the one that runs code. */
export type ToMain = { run: number; code: string; name: string; source: string } | { interrupted: number };

export interface Thrown {
  name: string;
  message: string;
  traceback: string;
}

export type FromMain =
  | { event: 'display'; kind: 'result' | 'display'; data: Record<string, string> }
  | { event: 'done'; run: number; exception: Thrown | null };
