import type { Model } from '../model/model.ts';
import type { JobEvent, NewEvent } from '../protocol/events.ts';
import type { Job, LogType } from '../protocol/job.ts';
import type { Notebook } from '../protocol/notebook.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { ContextSettings } from './context/budget.ts';
import type { ContextStrategy } from './context/strategy.ts';
import type { JobImages } from './image.ts';
import type { Recall } from './recall.ts';

/** What an agent is given to work on a job. */
export interface AgentContext {
  job: Job;
  sandbox: Sandbox;
  /**
   * The job's events so far: at a first start the opening ones; when a job is resumed the whole log, of what a summary
   * covers only those that last.
   */
  history: JobEvent[];
  /** True when the job was under way before and its sandbox, with all files, could be kept. */
  sandboxKept: boolean;
  /** Plain variables and secrets for everything that runs in the sandbox. */
  env: Record<string, string>;
  /** Only for agent `llm`. */
  model: Model | null;
  /** How requests are kept within the model's window. */
  window: { settings: ContextSettings; strategy: ContextStrategy };
  /** Aborted on cancellation, timeout, a lost sandbox or a lost lease; its reason is the CodedError that ends the job. */
  signal: AbortSignal;
  /** Stores events, in order, before it resolves; secrets are redacted on the way. Returns them with their numbers. */
  append(...events: NewEvent[]): Promise<JobEvent[]>;
  /** Adds to the job's stdout or stderr log; resolves when there is room for more. */
  log(type: LogType, text: string | Buffer): Promise<void>;
  /** Replaces the values of secrets in what a model or a person is shown. */
  redact(text: string): string;
  /** To be called before each step: waits while the job is paused, and gives what came from outside since the last call: the user's messages, control of the desktop. */
  checkpoint(): Promise<JobEvent[]>;
  images: JobImages;
  /** The notes and the plan as the log has them now. */
  notebook(): Promise<Notebook>;
  recall: Recall;
  /** The person who has control of the desktop now, so that the agent must not act on it; null when nobody has. */
  desktopHolder(): Promise<string | null>;
  /** Where people reach a port of the sandbox while it lives. */
  portUrl(port: number): string;
  /** Puts the job into `waiting` until the user's next message, which it returns. */
  waitForMessage(): Promise<JobEvent>;
}

/** Works on a job to its end. Resolves when the job is complete; rejects with the CodedError that it failed with. */
export type Agent = (context: AgentContext) => Promise<{ summary: string }>;
