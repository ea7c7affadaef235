/** In pixels. */
export interface ImageSize {
  width: number;
  height: number;
}

/** Tokens of an image in a request, as a provider counts them; where its rule is not sure, what errs high. */
export type ImageRule = (size: ImageSize) => number;

/**
 * The rule of a model, by its id (`provider/name`). From the providers' guides to vision as of November 2026; images
 * are sent without a wish for detail, so the dearest of what the provider may choose counts.
 */
export function imageRule(id: string): ImageRule {
  const [provider = '', name = ''] = id.split(/\/(.*)/s);
  if (provider === 'anthropic') return EARLY_CLAUDE.test(name) ? claude(1_568, 1_568) : claude(2_576, 4_784);
  if (provider === 'google') return /^gemini-[12]\b/.test(name) ? geminiTiles : gemini3;
  if (provider === 'openai')
    return OPENAI.find(([pattern]) => pattern.test(name))?.[1] ?? patches(32, 10_000, 1.2);
  // Servers of open models: patches of 28 pixels, and mostly a lower limit than this one (Qwen-VL's).
  return patches(28, 16_384, 1);
}

/** Before Opus 4.7 images were scaled down further. */
const EARLY_CLAUDE = /^claude-(3|instant|2|haiku-4-5|(opus|sonnet)-4(-[0-6])?(-\d{8}|-latest)?$)/;

/** Patches of 28 pixels, after the longer edge and the number have been brought down to what the model takes. */
function claude(longest: number, most: number): ImageRule {
  return (size) => Math.min(most, tiles(within(size, longest), 28));
}

function patches(edge: number, most: number, factor: number): ImageRule {
  return (size) => Math.ceil(Math.min(most, tiles(size, edge)) * factor);
}

/** Scaled to fit 2,048 pixels, then to a shorter side of 768, then in tiles of 512. */
function tiled(base: number, tile: number): ImageRule {
  return (size) => {
    const { width, height } = within(size, 2_048);
    const scale = Math.min(1, 768 / Math.min(width, height));
    return base + tile * tiles({ width: width * scale, height: height * scale }, 512);
  };
}

/** The first that fits; all others, from GPT-5.2 on, count patches of 32 pixels. */
const OPENAI: readonly [RegExp, ImageRule][] = [
  [/^gpt-4o-mini/, tiled(2_833, 5_667)],
  [/^gpt-(4\.1|5)-nano/, patches(32, 1_536, 2.46)],
  [/^gpt-(4\.1|5)-mini/, patches(32, 1_536, 1.62)],
  [/^o4-mini/, patches(32, 1_536, 1.72)],
  [/^(gpt-4|chatgpt)/, tiled(85, 170)],
  [/^o[13]\b/, tiled(75, 150)],
  [/^gpt-5(\.1)?(-|$)/, tiled(70, 140)],
];

const TILE = 258;

/** One tile when both sides are at most 384 pixels, else tiles of 768. */
const geminiTiles: ImageRule = (size) =>
  Math.max(size.width, size.height) <= 384 ? TILE : TILE * tiles(size, 768);

/** A fixed budget for each image at the default resolution. */
const gemini3: ImageRule = () => 1_120;

const tiles = ({ width, height }: ImageSize, edge: number): number =>
  Math.ceil(width / edge) * Math.ceil(height / edge);

function within({ width, height }: ImageSize, longest: number): ImageSize {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: width * scale, height: height * scale };
}
