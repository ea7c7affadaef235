import { CodedError } from '../protocol/errors.ts';

/**
 * Why a worker stops working on a job that has not failed:
 * `ended`: the store says that it is over (cancelled, mostly); `fenced`: another attempt has taken it over;
 * `shutdown`: this process stops and hands it back.
 */
export type StopKind = 'ended' | 'fenced' | 'shutdown';

const WORDS: Record<StopKind, string> = {
  ended: 'The job was ended while it ran',
  fenced: 'Another worker has taken the job over',
  shutdown: 'The worker is stopping',
};

/** The reason of a job's abort signal when the job is not to end as failed. */
export class Stopped extends CodedError {
  readonly kind: StopKind;

  constructor(kind: StopKind) {
    super('JOB_ENDED', WORDS[kind]);
    this.name = 'Stopped';
    this.kind = kind;
  }
}
