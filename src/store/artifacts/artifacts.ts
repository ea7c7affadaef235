import type { Readable, Writable } from 'node:stream';
import type { AcceptedRequest } from '../../protocol/job.ts';

/** An input file of a job. */
export interface InputFile {
  path: string;
  bytes: number;
  executable: boolean;
  /** Its bytes; each call opens them anew. */
  open(): AsyncIterable<Buffer>;
}

/** Input files on their way in: nobody sees them before `commit`. */
export interface InputStaging {
  jobId: string;
  /** Takes a file's bytes as they come; one written again under the same path takes its place. Gives its size. */
  write(
    path: string,
    bytes: AsyncIterable<Buffer> | Iterable<Buffer> | Buffer | string,
    executable?: boolean,
  ): Promise<number>;
  /** What has been written, as it goes into the accepted request. */
  files(): AcceptedRequest['files'];
  /** Makes them durable and the job's. */
  commit(): Promise<void>;
  /** Removes them, also when they are committed. To be called for every staging that no job was made of. */
  discard(): Promise<void>;
}

/** The inputs that a job is scheduled with: a staging; scheduleJob commits or discards it. */
export type StagedInputs = InputStaging;

/** An output.zip on its way in: it is not there before `commit`. */
export interface OutputWriter {
  stream: Writable;
  /** Ends the stream, makes the file durable, and puts it in the place of an earlier one. Gives its size in bytes. */
  commit(): Promise<number>;
  /** Leaves nothing behind; after a commit: nothing to do. */
  abort(): Promise<void>;
}

/** A part of a file in bytes, both ends included, as HTTP counts them. */
export interface ByteRange {
  start: number;
  end: number;
}

/** The files that outlive a job's sandbox. Here they lie in a folder; the port asks nothing that S3 could not do. */
export interface Artifacts {
  stageInputs(jobId: string): Promise<InputStaging>;
  /** A job's input files, in the order they were written; none is no error. */
  inputs(jobId: string): Promise<InputFile[]>;
  createOutput(jobId: string): Promise<OutputWriter>;
  /** The bytes of the output, or of a part of it. @throws CodedError NO_OUTPUT when there is none. */
  openOutput(jobId: string, range?: ByteRange): Promise<Readable>;
  /** Where the output lies, or will. */
  outputPath(jobId: string): string;
  removeInputs(jobId: string): Promise<void>;
  /** Keeps an image of a job, whole or not at all. @param id 32 hexadecimal digits */
  saveImage(jobId: string, id: string, bytes: Buffer): Promise<void>;
  /** Null when it is not there. */
  loadImage(jobId: string, id: string): Promise<Buffer | null>;
  /** The bytes of each image of a job, by their ids. */
  imageSizes(jobId: string): Promise<Map<string, number>>;
  /** Removes all that there is of a job; of one that has nothing: no error. */
  remove(jobId: string): Promise<void>;
  /** Ids of the jobs that have anything here, in no order. */
  jobIds(): AsyncIterable<string>;
}
