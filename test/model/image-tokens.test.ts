import { describe, expect, it } from 'vitest';
import { imageRule } from '../../src/model/image-tokens.ts';

const SCREEN = { width: 1_280, height: 800 };
const SQUARE = { width: 1_024, height: 1_024 };
const HUGE = { width: 8_000, height: 8_000 };
const SMALL = { width: 200, height: 150 };

/** Figures of the providers' own examples where they have some, else worked out by their rules. */
describe('the tokens of an image', () => {
  it.each([
    // 28-pixel patches; long edge of 1568 and 1568 tokens, later 2576 and 4784.
    ['anthropic/claude-haiku-4-5', { width: 1_000, height: 1_000 }, 1_296],
    ['anthropic/claude-sonnet-4-6', HUGE, 1_568],
    ['anthropic/claude-opus-4-20250514', HUGE, 1_568],
    ['anthropic/claude-opus-4-8', HUGE, 4_784],
    ['anthropic/claude-sonnet-5-5', { width: 1_920, height: 1_200 }, 69 * 43],
    // 512-pixel tiles after scaling to a shorter side of 768.
    ['openai/gpt-4o', SQUARE, 765],
    ['openai/gpt-4.1', { width: 2_048, height: 4_096 }, 1_105],
    ['openai/gpt-4o-mini', SQUARE, 2_833 + 4 * 5_667],
    ['openai/o3', SQUARE, 75 + 4 * 150],
    ['openai/gpt-5', SQUARE, 70 + 4 * 140],
    // 32-pixel patches.
    ['openai/gpt-4.1-mini', SQUARE, Math.ceil(1_024 * 1.62)],
    ['openai/gpt-5-nano', HUGE, Math.ceil(1_536 * 2.46)],
    ['openai/gpt-5.6-sol', SCREEN, 40 * 25 * 1.2],
    ['openai/gpt-6.1-terra', HUGE, 12_000],
    ['google/gemini-2.5-pro', SMALL, 258],
    ['google/gemini-2.5-flash', SCREEN, 4 * 258],
    ['google/gemini-3.8-flash', SMALL, 1_120],
    ['openai-compatible/qwen', SCREEN, 46 * 29],
  ])('%s, %o: %i', (id, size, tokens) => {
    expect(imageRule(id)(size)).toBe(tokens);
  });
});
