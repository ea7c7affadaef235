import { newId } from '../protocol/ids.ts';
import type { InputStaging } from '../store/artifacts/artifacts.ts';
import type { Api } from './options.ts';

/** The input files of one request: staged from the first one on, and removed unless a job takes them. */
export class Inputs {
  readonly #api: Api;
  #staging: InputStaging | null = null;

  constructor(api: Api) {
    this.#api = api;
  }

  readonly write = async (path: string, bytes: AsyncIterable<Buffer> | Buffer, executable = false) => {
    this.#staging ??= await this.#api.store.artifacts.stageInputs(newId());
    await this.#staging.write(path, bytes, executable);
  };

  /** For scheduleJob, which commits or discards them. */
  take(): InputStaging | null {
    const staging = this.#staging;
    this.#staging = null;
    return staging;
  }

  async discard(): Promise<void> {
    await this.#staging?.discard();
  }
}
