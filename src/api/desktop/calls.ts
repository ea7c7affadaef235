import { z } from 'zod';
import {
  DesktopAct,
  DesktopScreenshot,
  type Region,
  ScreenshotInfo,
  WindowInfo,
} from '../../protocol/desktop.ts';
import { ExecRequest } from '../../protocol/sandbox-api.ts';
import { wholeNumber } from '../schemas.ts';

const MAX_PIXELS = 32_767;
const pixels = (least: number, what: string) => wholeNumber(least, MAX_PIXELS).optional().describe(what);
const control = z.string().max(100).optional().describe('The token of POST /desktop/{id}/control.');

/** Which picture of the screen is wanted. */
export const PictureQuery = z
  .strictObject({
    x: pixels(0, 'The left edge of the region, in pixels of the screen; with y, width and height.'),
    y: pixels(0, 'Its upper edge.'),
    width: pixels(1, 'Its width.'),
    height: pixels(1, 'Its height.'),
    max_width: wholeNumber(16, 3_840).optional().describe('Makes the picture smaller where it is wider.'),
    max_height: wholeNumber(16, 3_840).optional().describe('Makes the picture smaller where it is higher.'),
    scale: z
      .string()
      .regex(/^(0\.\d{1,4}|1(\.0{1,4})?)$/, 'expected a number from 0.05 to 1')
      .transform(Number)
      .refine((scale) => scale >= 0.05, { error: 'expected a number from 0.05 to 1' })
      .optional()
      .describe('Makes the picture smaller by this factor, 0.05 to 1.'),
    format: z.enum(['png', 'jpeg']).default('png').describe('The form of the image.'),
  })
  .refine(
    ({ x, y, width, height }) => new Set([x, y, width, height].map((side) => side === undefined)).size === 1,
    { error: 'expected all of x, y, width and height, or none' },
  );

/** What is asked of the sandbox for it. */
export function pictureWanted({
  x,
  y,
  width,
  height,
  ...rest
}: z.infer<typeof PictureQuery>): DesktopScreenshot {
  const given = { x, y, width, height };
  return DesktopScreenshot.parse({ ...rest, ...(x !== undefined && { region: given as Region }) });
}

export const TakenPicture = ScreenshotInfo.extend({ image_base64: z.string() }).meta({ id: 'Screenshot' });
export type Picture = z.infer<typeof ScreenshotInfo>;

/** What a picture shows, for those who take it as an image. */
export const pictureHeaders = ({ frame, screen, pointer }: Picture): Record<string, string> => ({
  'x-frame': JSON.stringify(frame),
  'x-screen': JSON.stringify(screen),
  'x-pointer': JSON.stringify(pointer),
});

export const ActRequest = DesktopAct.extend({ control }).meta({ id: 'ActRequest' });

const { cwd, env } = ExecRequest.shape;
export const LaunchRequest = z
  .strictObject({
    command: z.string().min(1).max(200_000).describe('A line for the shell that starts a program.'),
    cwd,
    env,
    timeout_s: z.int().min(1).max(120).optional().describe('How long to wait for a window; default 10.'),
    control,
  })
  .meta({ id: 'LaunchRequest' });

export const Launched = z
  .object({
    process_id: z.string(),
    pid: z.int(),
    windows: z.array(WindowInfo),
    ended: z
      .object({ exit_code: z.int().nullable(), output: z.string() })
      .nullable()
      .describe('How it ended, when it did so without a window.'),
  })
  .meta({ id: 'Launched' });
