import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, opendir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { CodedError } from '../../protocol/errors.ts';
import { ID_PATTERN, IMAGE_ID, newId } from '../../protocol/ids.ts';
import type { Artifacts, InputStaging, OutputWriter } from './artifacts.ts';
import { sync } from './sync.ts';

const OUTPUT = 'output.zip';
const INPUTS = 'inputs';
const LIST = 'list.json';
const IMAGES = 'images';
/** Names of what is not whole yet begin with it. */
const TEMPORARY = '.new-';
const List = z.array(z.object({ path: z.string(), bytes: z.int(), executable: z.boolean() }));

/** Artifacts in a folder: `JOB/inputs/0`, `JOB/inputs/1`, ... with `JOB/inputs/list.json`, `JOB/images/ID` and `JOB/output.zip`. */
export async function openArtifactsFolder(root: string): Promise<Artifacts> {
  await mkdir(root, { recursive: true, mode: 0o700 });

  /** Ids are checked here too: no other name must ever become a path. */
  function folderOf(jobId: string): string {
    if (!ID_PATTERN.test(jobId)) throw new Error(`expected the id of a job; found ${JSON.stringify(jobId)}`);
    return join(root, jobId);
  }

  function imagePath(jobId: string, id: string): string {
    if (!IMAGE_ID.test(id)) throw new Error(`expected the id of an image; found ${JSON.stringify(id)}`);
    return join(folderOf(jobId), IMAGES, id);
  }

  async function makeFolder(jobId: string): Promise<string> {
    const folder = folderOf(jobId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  return {
    async stageInputs(jobId) {
      const folder = await makeFolder(jobId);
      const staging = join(folder, `${TEMPORARY}${newId()}`);
      await mkdir(staging, { mode: 0o700 });
      return stageInto({ jobId, folder, staging, root });
    },
    async inputs(jobId) {
      const folder = join(folderOf(jobId), INPUTS);
      const text = await readFile(join(folder, LIST), 'utf8').catch(absent);
      if (text === null) return [];
      return List.parse(JSON.parse(text)).map((file, index) => ({
        ...file,
        open: () => createReadStream(join(folder, String(index))),
      }));
    },
    async createOutput(jobId) {
      const folder = await makeFolder(jobId);
      return writeOutput({ folder, root, temporary: join(folder, `${TEMPORARY}${newId()}`) });
    },
    async openOutput(jobId, range) {
      const file = await open(join(folderOf(jobId), OUTPUT), 'r').catch(absent);
      if (!file) throw new CodedError('NO_OUTPUT', 'the output is not where it should be');
      // Opened before it answers, so that a file which retention removes meanwhile is still sent whole.
      return file.createReadStream({ start: range?.start ?? 0, end: range?.end ?? Number.POSITIVE_INFINITY });
    },
    outputPath: (jobId) => join(folderOf(jobId), OUTPUT),
    async saveImage(jobId, id, bytes) {
      const temporary = join(await makeFolder(jobId), `${TEMPORARY}${newId()}`);
      const path = imagePath(jobId, id);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' });
      await rename(temporary, path);
    },
    loadImage: async (jobId, id) => readFile(imagePath(jobId, id)).catch(absent),
    async imageSizes(jobId) {
      const folder = join(folderOf(jobId), IMAGES);
      const names = (await readdir(folder).catch(absent)) ?? [];
      const sizes = names.map(async (name) => [name, (await stat(join(folder, name))).size] as const);
      return new Map(await Promise.all(sizes));
    },
    removeInputs: (jobId) => rm(join(folderOf(jobId), INPUTS), { recursive: true, force: true }),
    remove: (jobId) => rm(folderOf(jobId), { recursive: true, force: true }),
    async *jobIds() {
      for await (const entry of await opendir(root)) if (ID_PATTERN.test(entry.name)) yield entry.name;
    },
  };
}

interface Staging {
  jobId: string;
  folder: string;
  staging: string;
  root: string;
}

function stageInto({ jobId, folder, staging, root }: Staging): InputStaging {
  const list: z.infer<typeof List> = [];
  let committed = false;
  return {
    jobId,
    async write(path, bytes, executable = false) {
      const found = list.findIndex((file) => file.path === path);
      const index = found === -1 ? list.length : found;
      list[index] = { path, bytes: 0, executable };
      const whole = typeof bytes === 'string' || Buffer.isBuffer(bytes);
      const stream = createWriteStream(join(staging, String(index)), { mode: 0o600, flush: true });
      await pipeline(whole ? Readable.from([Buffer.from(bytes)]) : bytes, stream);
      list[index] = { path, bytes: stream.bytesWritten, executable };
      return stream.bytesWritten;
    },
    files: () => list.map((file) => ({ ...file })),
    async commit() {
      if (committed) return;
      const file = await open(join(staging, LIST), 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(list));
        await file.sync();
      } finally {
        await file.close();
      }
      await sync(staging);
      await rename(staging, join(folder, INPUTS));
      await sync(folder);
      await sync(root);
      committed = true;
    },
    discard: () => rm(folder, { recursive: true, force: true }),
  };
}

function writeOutput({
  folder,
  root,
  temporary,
}: {
  folder: string;
  root: string;
  temporary: string;
}): OutputWriter {
  const stream = createWriteStream(temporary, { mode: 0o600, flags: 'wx' });
  const ended = finished(stream);
  // Whoever writes hears of a failure through commit; unheard until then, it would end the process.
  ended.catch(() => {});
  let committed = false;
  return {
    stream,
    async commit() {
      if (!stream.writableEnded) stream.end();
      await ended;
      await sync(temporary);
      await rename(temporary, join(folder, OUTPUT));
      committed = true;
      await sync(folder);
      await sync(root);
      return (await stat(join(folder, OUTPUT))).size;
    },
    async abort() {
      if (committed) return;
      stream.destroy();
      await ended.catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}

function absent(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
