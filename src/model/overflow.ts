/** How providers and model servers say that a request is longer than the model's window. */
const WORDINGS: readonly RegExp[] = [
  /context_length_exceeded/i, // OpenAI, and many that follow it (the code)
  /model_context_window_exceeded/i, // Anthropic's stop reason, Z.ai's code
  /exceed_context_size_error/i, // llama.cpp (the type)
  /maximum context length/i, // OpenAI chat, vLLM, DeepSeek, OpenRouter, Mistral
  /maximum prompt length/i, // xAI
  /exceeds? the (model'?s? )?(available )?context (size|window|length)/i, // OpenAI Responses, llama.cpp
  /context (window|length|size) (of this model|exceed|limit)/i,
  /prompt is too long/i, // Anthropic, Vertex
  /prompt too long/i, // Ollama
  /exceed(s|ed)? (the )?context (limit|length|window)/i, // Anthropic, with max_tokens
  /input token count.{0,40}exceeds/i, // Google
  /token count.{0,60}exceeds the (limit|maximum)/i, // GitHub
  /input is too long for requested model/i, // Bedrock
  /too large for model with .{0,40}context/i, // Mistral
  /reduce the length of the (messages|prompt|input)/i, // Groq, OpenAI
  /greater than the context length/i, // LM Studio
  /exceeded model token limit/i, // Moonshot
  /max_new_tokens.{0,20}must be <=/i, // Together, Text Generation Inference
  /request_too_large/i, // Anthropic, above 32 MB
  /string_above_max_length/i, // OpenAI, one message too long
  /number of input tokens exceeds/i, // Bedrock
  /longer than the (maximum model length|model's context length)/i, // vLLM, SGLang
  /must have less than \d+ tokens/i, // Text Generation Inference
  /number of tokens in the prompt cannot exceed/i, // Cohere
  /range of input length should be/i, // Qwen (DashScope)
  /prompt exceeds max(imum)? length/i, // Zhipu
  /request body too large for .{0,60}max size: \d+ tokens/i, // GitHub
];

/** Whether a provider's error text says that the request does not fit the model's window. */
export const saysOverflow = (text: string): boolean => WORDINGS.some((wording) => wording.test(text));
