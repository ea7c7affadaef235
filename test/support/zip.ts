import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { unpack } from '../../src/cli/unpack.ts';
import type { TestServer } from './server.ts';

/** A job's output, downloaded and unpacked in a folder that goes with the test. */
export async function unpackOutput({ client }: TestServer, jobId: string) {
  const folder = await mkdtemp(join(tmpdir(), 'agent-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const zip = join(folder, 'output.zip');
  const bytes = await client.download(jobId, zip);
  const root = join(folder, 'output');
  const { paths } = await unpack(zip, root);
  const text = (path: string) => readFile(join(root, path), 'utf8');
  const manifest = JSON.parse(await text('.agent/manifest.json')) as {
    complete: boolean;
    entries: { path: string; sha256?: string }[];
    left_out: { path: string; reason: string }[];
  };
  return { bytes, zip, root, paths, text, manifest };
}
