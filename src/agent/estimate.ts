/**
 * Tokens of a text, erring high: real tokenizers take 3.5 to 5 characters a token of English or code, and about one
 * of most other scripts. Never a real tokenizer: they take minutes on hostile input.
 */
export function estimateTokens(text: string): number {
  const ascii = OTHER_SCRIPTS.test(text) ? text.replaceAll(/[^\0-\x7f]/g, '').length : text.length;
  return Math.ceil(ascii / 3) + (text.length - ascii);
}

const OTHER_SCRIPTS = /[^\0-\x7f]/;
