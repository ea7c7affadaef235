/** A worker's claim on a job: what it writes is refused once another attempt has begun or the job has ended. */
export interface Fence {
  jobId: string;
  attempt: number;
}

/** The job has ended, or another worker has it: whoever gets this lets go of the job at once. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor(fence: Fence) {
    super(
      `expected to hold job ${fence.jobId} in attempt ${fence.attempt}; it has ended, or another attempt has begun`,
    );
  }
}
