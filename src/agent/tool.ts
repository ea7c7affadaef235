import { z } from 'zod';
import type { AgentContext } from './agent.ts';

export interface ToolResult {
  /** What the model is shown. */
  content: string;
  isError?: boolean;
  /** PNG or JPEG, shown to the model after `content`. */
  images?: Buffer[];
  exitCode?: number | null;
  /** Where the whole output lies when `content` is only its head and tail. */
  fullOutput?: string | null;
  /** What `content` leaves out between head and tail: kept for recall. */
  leftOut?: string | null;
}

/** What a call runs with. */
export interface ToolCallContext extends AgentContext {
  step: number;
  callId: string;
  /** Unique among the job's calls: names files that belong to the call. */
  name: string;
}

interface ToolDefinition<Input> {
  name: string;
  /** What the model is told: when to use it, its limits, what its errors mean. */
  description: string;
  input: z.ZodType<Input>;
  /** Whether a call that was interrupted by a crash may simply be made again. */
  repeatable?: boolean;
  /** One line for people. */
  summary(input: Input): string;
  /** CodedErrors become error results, but for what ends the job. */
  run(input: Input, call: ToolCallContext): Promise<ToolResult>;
}

export interface Tool {
  name: string;
  description: string;
  input: z.ZodType;
  repeatable: boolean;
  /** Checks a call's input; a string says what is wrong with it. */
  prepare(input: unknown): string | { summary: string; run(call: ToolCallContext): Promise<ToolResult> };
}

/** Makes a tool of its parts; the input is checked before it gets to them. */
export function defineTool<Input>(tool: ToolDefinition<Input>): Tool {
  const { name, description, input: schema } = tool;
  return {
    name,
    description,
    input: schema,
    repeatable: tool.repeatable ?? false,
    prepare(given) {
      if (typeof given === 'string') return `the arguments are no valid JSON: ${given.slice(0, 200)}`;
      const parsed = schema.safeParse(given);
      if (!parsed.success) return z.prettifyError(parsed.error);
      const input = parsed.data;
      return { summary: tool.summary(input), run: (call) => tool.run(input, call) };
    },
  };
}
