import { describe, expect, it } from 'vitest';
import { inspectImage } from '../../src/agent/image.ts';
import { imagePart, showImages } from '../../src/agent/show-images.ts';
import type { ModelMessage } from '../../src/model/model.ts';
import { makePng } from './png.ts';

const ref = (n: number) => ({
  id: n.toString(16).padStart(32, '0'),
  media_type: 'image/png' as const,
  bytes: 10,
  width: 1_280,
  height: 800,
});
const shown = (n: number): ModelMessage => ({
  role: 'tool',
  content: [
    {
      type: 'tool-result',
      toolCallId: `${n}`,
      toolName: 'screenshot',
      output: { type: 'content', value: [{ type: 'text', text: 'the screen' }, imagePart(ref(n))] },
    },
  ],
});

describe('an image', () => {
  it('is told by its bytes', () => {
    expect(inspectImage(makePng(3, 5))).toEqual({ media_type: 'image/png', width: 3, height: 5 });
    const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0000b080010002001011100', 'hex');
    expect(inspectImage(jpeg)).toEqual({ media_type: 'image/jpeg', width: 32, height: 16 });
  });

  it('is refused when a provider would refuse it', () => {
    const wrong = [
      Buffer.alloc(0),
      Buffer.from('<svg/>'),
      Buffer.from('ffd8', 'hex'),
      Buffer.from('ffd8ffe00000ffe00000', 'hex'),
      makePng(9_000, 1),
      makePng(0, 1),
      Buffer.concat([makePng(1, 1), Buffer.alloc(4_000_000)]),
    ];
    for (const bytes of wrong)
      expect(() => inspectImage(bytes)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('the images of a view', () => {
  const images = {
    save: () => Promise.reject(new Error('not here')),
    load: async ({ id }: { id: string }) => (id === ref(1).id ? null : Buffer.from(id)),
  };
  const texts = (messages: ModelMessage[]) =>
    messages.map((message) => {
      const part = message.role === 'tool' && message.content[0];
      const last =
        part && part.type === 'tool-result' && part.output.type === 'content' && part.output.value[1];
      return last && last.type === 'text' ? last.text : last && last.type === 'file' ? last.data.type : null;
    });

  it('are put in by their references, or said to be gone', async () => {
    const view = [shown(0), shown(1)];
    const messages = await showImages(view, [ref(0), ref(1)], images);
    expect(texts(messages)).toEqual(['data', '[the image is no longer there]']);
    expect(JSON.stringify(messages)).toContain(Buffer.from(ref(0).id).toString('base64'));
    expect(texts(view)).toEqual(['reference', 'reference']);
  });

  it('go in chunks when there are many, so that the start of a request stays as it was', async () => {
    const refs = Array.from({ length: 60 }, (_, n) => ref(n + 2));
    const view = refs.map((_, n) => shown(n + 2));
    const left = async (count: number) =>
      texts(await showImages(view.slice(0, count), refs, images)).filter((kind) => kind !== 'data').length;
    expect(await Promise.all([20, 39, 40, 59, 60].map(left))).toEqual([0, 0, 20, 20, 40]);
  });
});
