import { join } from 'node:path';
import type { Config } from '../config.ts';
import { AGENT_FOLDER, type Job, type OutputInfo, WORKSPACE } from '../protocol/job.ts';
import { wordsOf } from '../protocol/words-of.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import { createManifest } from './output-manifest.ts';
import { packEntries } from './pack-entries.ts';
import type { Redactor } from './redact.ts';
import { createSpool } from './spool.ts';
import { createZipWriter } from './zip-writer.ts';

const MANIFEST = `${AGENT_FOLDER}/manifest.json`;

export interface PackedOutput {
  info: OutputInfo;
  /** Why it does not hold all that it should: packing ran out of time, or the sandbox was lost. Null when it does. */
  cut: unknown;
  durationMs: number;
}

/**
 * Streams the workspace into the job's output.zip, put into place when whole. Files are never half in it: when
 * `signal` is aborted or the sandbox is lost, the zip is closed over what was whole by then, and its manifest says so.
 * @throws what the disk failed with; then there is no output, and nothing is left of it.
 */
export async function packOutput(options: {
  store: Store;
  config: Pick<Config, 'DATA_DIR' | 'MAX_OUTPUT_MB'>;
  job: Job;
  sandbox: Sandbox;
  redactor: Redactor;
  signal: AbortSignal;
}): Promise<PackedOutput> {
  const { store, config, job, sandbox, redactor, signal } = options;
  const start = performance.now();
  const output = await store.artifacts.createOutput(job.id);
  const spool = createSpool(join(config.DATA_DIR, 'tmp'));
  const zip = createZipWriter(output.stream);
  const manifest = createManifest(job.id);
  try {
    const stream = sandbox.archive({ root: WORKSPACE, ...job.request.output }, { signal });
    const maxBytes = config.MAX_OUTPUT_MB * 1024 * 1024;
    let cut: unknown = null;
    await packEntries({ stream, zip, manifest, spool, maxBytes, reserved: [MANIFEST] }).catch((error) => {
      cut = error;
    });
    const because = cut === null ? null : wordsOf(cut);
    const text = JSON.stringify(redactor.json(manifest.finish(because)), null, 1);
    await zip.addFile({ path: MANIFEST, mode: 0o644, modified: new Date() }, Buffer.from(text));
    const { bytes, sha256 } = await zip.end();
    await output.commit();
    const info: OutputInfo = {
      bytes,
      files: manifest.files(),
      left_out: manifest.leftOut(),
      sha256,
      expires: null,
    };
    return { info, cut, durationMs: performance.now() - start };
  } catch (error) {
    await zip.abort();
    await output.abort();
    throw error;
  } finally {
    await spool.close();
  }
}
