import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newId } from '../../src/protocol/ids.ts';
import { openArtifactsFolder } from '../../src/store/artifacts/folder.ts';
import { jobImages } from '../../src/worker/job-images.ts';
import { makePng } from '../agent/png.ts';

it('counts what earlier runs of the job have kept, each image once', async () => {
  const root = await mkdtemp(join(tmpdir(), 'agent-test-'));
  try {
    const artifacts = await openArtifactsFolder(root);
    const id = newId();
    const [small, wide, high] = [makePng(1, 1), makePng(9, 1), makePng(1, 9)];
    const most = small.length + wide.length;
    const first = jobImages({ artifacts }, id, most);
    const kept = await first.save(small);
    expect(await first.save(small)).toEqual(kept);
    expect(kept).toMatchObject({ media_type: 'image/png', width: 1, height: 1, bytes: small.length });

    const afterRestart = jobImages({ artifacts }, id, most);
    expect(await afterRestart.save(small)).toEqual(kept);
    const second = await afterRestart.save(wide);
    await expect(afterRestart.save(high)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`${most} bytes of images of ${most}`),
    });
    expect(await afterRestart.load(second)).toEqual(wide);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
