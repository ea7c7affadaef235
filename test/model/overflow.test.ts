import { expect, it } from 'vitest';
import { saysOverflow } from '../../src/model/overflow.ts';

it.each([
  "This model's maximum context length is 128000 tokens. However, your messages resulted in 140013 tokens.",
  'Your input exceeds the context window of this model. Please adjust your input and try again.',
  '{"code":"context_length_exceeded"}',
  'prompt is too long: 208310 tokens > 200000 maximum',
  'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000',
  'The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).',
  "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
  "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens",
  'the request exceeds the available context size, try increasing it',
  'Please reduce the length of the messages or completion.',
  'Input is too long for requested model.',
  'prompt token count of 70000 exceeds the limit of 64000',
  'The number of tokens to keep from the initial prompt is greater than the context length',
  'Prompt contains 40000 tokens, too large for model with 32768 maximum context length',
  'Invalid request: Your request exceeded model token limit: 131072',
  'prompt too long; exceeded max context length by 12 tokens',
  '`inputs` tokens + `max_new_tokens` must be <= 4097',
  "Invalid 'messages[1].content': string too long. Expected a string with maximum length 1048576. string_above_max_length",
  'Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.',
  'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
  "The input (40000 tokens) is longer than the model's context length (32768 tokens).",
  'Input validation error: `inputs` must have less than 1024 tokens. Given: 1200',
  'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 7000',
  'Range of input length should be [1, 30720]',
  'Prompt exceeds max length',
  'Request body too large for gpt-5 model. Max size: 8000 tokens.',
  'invalid params, context window exceeds limit',
])('hears an overflow in: %s', (text) => {
  expect(saysOverflow(text)).toBe(true);
});

it.each([
  'Rate limit reached for requests: too many tokens per minute',
  'max_tokens is too large: 300000. This model supports at most 128000 completion tokens',
  'Overloaded',
  'Too many tokens, please wait before trying again.',
  'Invalid API key',
  'messages.3: tool results are missing',
])('hears none in: %s', (text) => {
  expect(saysOverflow(text)).toBe(false);
});
