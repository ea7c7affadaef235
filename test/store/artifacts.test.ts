import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/protocol/ids.ts';
import type { Artifacts } from '../../src/store/artifacts/artifacts.ts';
import { openArtifactsFolder } from '../../src/store/artifacts/folder.ts';
import { sweepTemporary } from '../../src/store/artifacts/sweep-temporary.ts';

let root: string;
let artifacts: Artifacts;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'agent-test-'));
  artifacts = await openArtifactsFolder(root);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('an output is there when it is whole, and every part of it can be read', async () => {
  const id = newId();
  const output = await artifacts.createOutput(id);
  output.stream.write('0123456789');
  await expect(artifacts.openOutput(id)).rejects.toMatchObject({ code: 'NO_OUTPUT' });
  expect(await output.commit()).toBe(10);
  await output.abort();
  const read = async (range?: { start: number; end: number }) =>
    (await buffer(await artifacts.openOutput(id, range))).toString();
  expect(await read()).toBe('0123456789');
  expect(await read({ start: 2, end: 4 })).toBe('234');
  expect(await readdir(join(root, id))).toEqual(['output.zip']);

  const next = await artifacts.createOutput(id);
  next.stream.end('new');
  const old = await artifacts.openOutput(id);
  await next.commit();
  expect((await buffer(old)).toString()).toBe('0123456789');
  expect(await read()).toBe('new');
  await artifacts.remove(id);
  await artifacts.remove(id);
  await expect(read()).rejects.toMatchObject({ code: 'NO_OUTPUT' });
});

test('an output that is given up leaves nothing, also when its stream failed', async () => {
  const id = newId();
  const output = await artifacts.createOutput(id);
  output.stream.write('x');
  await output.abort();
  const failed = await artifacts.createOutput(id);
  failed.stream.destroy(new Error('disk'));
  await expect(failed.commit()).rejects.toThrow('disk');
  await failed.abort();
  expect(await readdir(join(root, id))).toEqual([]);
});

test('a name that is no id never becomes a path', async () => {
  for (const id of ['..', '../x', '', 'A'.repeat(22)]) {
    await expect(artifacts.createOutput(id)).rejects.toThrow(/expected the id of a job/);
    expect(() => artifacts.outputPath(id)).toThrow(/expected the id of a job/);
  }
});

test('what a crash left half written is swept; what is new or whole stays', async () => {
  const [crashed, fresh, whole] = [newId(), newId(), newId()];
  const staging = await artifacts.stageInputs(crashed);
  await staging.write('a', 'a');
  await artifacts.createOutput(fresh);
  const output = await artifacts.createOutput(whole);
  output.stream.end('x');
  await output.commit();
  const old = new Date(Date.now() - 10_000);
  for (const name of await readdir(join(root, crashed))) await utimes(join(root, crashed, name), old, old);
  await mkdir(join(root, 'not a job'));
  await writeFile(join(root, 'not a job', '.new-x'), '');
  expect(await sweepTemporary(root, new Date(Date.now() - 5_000))).toBe(1);
  expect(await readdir(join(root, crashed))).toEqual([]);
  expect(await readdir(join(root, fresh))).toHaveLength(1);
  expect(await readdir(join(root, whole))).toEqual(['output.zip']);
});

test('images lie beside the rest under the id of their bytes, and go with the job', async () => {
  const id = newId();
  const image = 'ab'.repeat(16);
  expect(await artifacts.loadImage(id, image)).toBeNull();
  expect(await artifacts.imageSizes(id)).toEqual(new Map());
  await artifacts.saveImage(id, image, Buffer.from('pixels'));
  await artifacts.saveImage(id, image, Buffer.from('pixels'));
  expect((await artifacts.loadImage(id, image))?.toString()).toBe('pixels');
  expect(await readdir(join(root, id, 'images'))).toEqual([image]);
  expect(await artifacts.imageSizes(id)).toEqual(new Map([[image, 6]]));
  await expect(artifacts.loadImage(id, '../output.zip')).rejects.toThrow(/expected the id of an image/);
  await artifacts.remove(id);
  expect(await artifacts.loadImage(id, image)).toBeNull();
});
