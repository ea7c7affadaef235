import { z } from 'zod';
import { Region } from '../../protocol/desktop.ts';
import { describeWindows, inImage, look, modelFrame } from '../desktop/look.ts';
import { defineTool } from '../tool.ts';

export const screenshot = defineTool({
  name: 'screenshot',
  description: `Shows you the sandbox's desktop as an image, with the list of its windows. The desktop starts with the first look; every program finds it (DISPLAY is set), whichever tool started it. To act on what you see use computer, whose coordinates are pixels of this image of the whole screen.
- region shows a part of the screen enlarged up to its real size, for small print: give it in pixels of the image of the whole screen. Coordinates for computer stay those of the whole screen, never those of a region's image.
- Prefer the shell and files where they do the job: they are faster and more exact than looking and clicking.`,
  input: z.strictObject({
    region: Region.optional(),
  }),
  repeatable: true,
  summary: ({ region }) =>
    region ? `look at ${region.width}x${region.height} at ${region.x},${region.y}` : 'look at the screen',
  async run({ region }, { sandbox, signal }) {
    const shot = await look(sandbox, signal, region);
    const frame = modelFrame(shot.screen);
    const [listed] = await sandbox.desktop.act([{ action: 'windows' }], { signal });
    const shows = region
      ? `The image shows the region at ${region.x},${region.y} of ${region.width}x${region.height}. Coordinates stay those of the whole screen, ${frame.width}x${frame.height}.`
      : `The screen, ${frame.width}x${frame.height}; the pointer is at ${inImage(frame, shot.pointer)}.`;
    return { content: `${shows}\n${describeWindows(listed?.windows ?? [], frame)}`, images: [shot.image] };
  },
});
