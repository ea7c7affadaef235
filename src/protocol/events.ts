import { z } from 'zod';
import { ErrorInfo } from './errors.ts';
import { IMAGE_ID } from './ids.ts';
import { JobStatus } from './job.ts';
import { PlanItem } from './notes.ts';
import { Port } from './ports.ts';

/** A tool call that a model asked for; `input` is what it sent, parsed. */
export const ToolCall = z.object({ id: z.string(), name: z.string(), input: z.unknown() });
export type ToolCall = z.infer<typeof ToolCall>;

export const StepUsage = z.object({
  input_tokens: z.int(),
  cached_input_tokens: z.int(),
  output_tokens: z.int(),
  cost_usd: z.number().nullable(),
});
export type StepUsage = z.infer<typeof StepUsage>;

/** An image that lies beside the job's events; its id is a hash of its bytes. */
export const ImageRef = z.object({
  id: z.string().regex(IMAGE_ID),
  media_type: z.enum(['image/png', 'image/jpeg']),
  bytes: z.int(),
  /** Pixels. */
  width: z.int(),
  height: z.int(),
  /** Where its bytes are; the API adds it. */
  link: z.string().optional(),
});
export type ImageRef = z.infer<typeof ImageRef>;

/** Every kind of event and what it carries. The log is append-only: kinds may be added, never changed. */
const EVENT_DATA = {
  'job.scheduled': z.object({ agent: z.string(), model: z.string().nullable() }),
  'job.started': z.object({ attempt: z.int(), worker: z.string() }),
  'job.waiting': z.object({ reason: z.enum(['question', 'paused']) }),
  'job.resumed': z.object({}),
  'job.requeued': z.object({ reason: z.string() }),
  'job.ended': z.object({ status: JobStatus, error: ErrorInfo.nullable(), summary: z.string().nullable() }),
  'sandbox.started': z.object({
    sandbox: z.string(),
    driver: z.string(),
    image: z.string(),
    warm: z.boolean(),
    start_ms: z.number(),
  }),
  'sandbox.reattached': z.object({ sandbox: z.string() }),
  'sandbox.lost': z.object({ sandbox: z.string(), reason: z.string() }),
  'input.ready': z.object({ files: z.int(), bytes: z.int(), git: z.string().nullable() }),
  'message.user': z.object({ text: z.string() }),
  /** A person has taken control of the desktop, or has lost it: the agent's own input is refused in between. */
  'control.taken': z.object({ holder: z.string(), expires: z.string() }),
  'control.released': z.object({ holder: z.string(), reason: z.enum(['released', 'expired']) }),
  /** A model's whole reply; `provider` keeps what the provider wants back verbatim (signatures, reasoning). */
  'model.reply': z.object({
    step: z.int(),
    model: z.string(),
    text: z.string(),
    tool_calls: z.array(ToolCall),
    finish_reason: z.string(),
    usage: StepUsage,
    duration_ms: z.number(),
    /** The newest event that the model was shown: a message that came while it spoke has a higher number. */
    seen: z.int().optional(),
    /** What the view that it answers was made with, in tokens: `src/agent/context` makes it again from the log. */
    view: z
      .object({ window: z.int(), input: z.int(), estimated: z.int(), result: z.int(), step: z.int() })
      .optional(),
    provider: z.unknown().optional(),
  }),
  'model.retry': z.object({ step: z.int(), attempt: z.int(), delay_ms: z.number(), reason: z.string() }),
  'tool.started': z.object({ step: z.int(), call_id: z.string(), tool: z.string(), summary: z.string() }),
  /** What the model is shown of a call's result; exactly one for every call. */
  'tool.result': z.object({
    step: z.int(),
    call_id: z.string(),
    tool: z.string(),
    content: z.string(),
    is_error: z.boolean(),
    exit_code: z.int().nullable(),
    duration_ms: z.number(),
    /** Where the whole output lies in the workspace when `content` is only its head and tail. */
    full_output: z.string().nullable(),
    /** What the model is shown after `content`. */
    images: z.array(ImageRef).optional(),
  }),
  /**
   * From here on, the results of the steps up to `through_step` are shown as stubs, or those steps are no longer shown
   * and a summary stands for them (`drop`: nothing does). The events themselves stay as they are.
   */
  'context.compacted': z.object({
    kind: z.enum(['stubs', 'summary', 'drop']),
    /** The first step that none of this kind had covered before. */
    from_step: z.int(),
    through_step: z.int(),
    /** The last event of those steps. */
    through_seq: z.int(),
    /** The newest event that the reply after them was shown: older messages of the user stand before it. */
    seen: z.int(),
    summary: z.string().nullable(),
    /** Who wrote the summary: the model, or a list of calls that was made without it. */
    author: z.enum(['model', 'digest']).nullable(),
    /** Why the model's summary was not taken as it was. */
    fault: z.string().nullable(),
    tokens_before: z.int(),
    /** Estimated. */
    tokens_after: z.int(),
    /** What the summary cost; null when no model was asked. */
    usage: StepUsage.nullable(),
    duration_ms: z.number(),
  }),
  /** What a result leaves out between its head and tail, in pieces, before the result: no model is shown it, recall finds it. */
  'tool.output': z.object({
    step: z.int(),
    call_id: z.string(),
    tool: z.string(),
    part: z.int(),
    text: z.string(),
  }),
  /** The agent has a link for people: a program of its own listens there. */
  'port.opened': z.object({
    step: z.int(),
    call_id: z.string(),
    port: Port,
    url: z.string(),
    title: z.string().nullable(),
  }),
  'question.asked': z.object({ step: z.int(), call_id: z.string(), question: z.string() }),
  /** Which of the user's messages was taken as the answer; it is shown to the model as the call's result. */
  'question.answered': z.object({ step: z.int(), call_id: z.string(), message_seq: z.int() }),
  /** The agent pins, changes and strikes notes; `notebook.ts` makes them into what stands now. */
  'note.pinned': z.object({ step: z.int(), call_id: z.string(), note: z.int(), text: z.string() }),
  'note.updated': z.object({ step: z.int(), call_id: z.string(), note: z.int(), text: z.string() }),
  'note.struck': z.object({ step: z.int(), call_id: z.string(), note: z.int() }),
  /** The agent's whole plan, in the place of the one before. */
  'plan.set': z.object({ step: z.int(), call_id: z.string(), items: z.array(PlanItem) }),
  'block.started': z.object({ block: z.int(), of: z.int(), language: z.string(), title: z.string() }),
  'block.ended': z.object({
    block: z.int(),
    exit_code: z.int().nullable(),
    signal: z.string().nullable(),
    timed_out: z.boolean(),
    duration_ms: z.number(),
  }),
  egress: z.object({
    host: z.string(),
    port: z.int(),
    address: z.string().nullable(),
    allowed: z.boolean(),
    rule: z.string(),
    /** How many connections this event stands for. */
    count: z.int(),
  }),
  'output.packed': z.object({ files: z.int(), bytes: z.int(), left_out: z.int(), duration_ms: z.number() }),
  notice: z.object({ text: z.string() }),
} as const;

export type EventType = keyof typeof EVENT_DATA;
const EVENT_TYPES = Object.keys(EVENT_DATA) as EventType[];
export type EventData<T extends EventType> = z.infer<(typeof EVENT_DATA)[T]>;

/** What is appended: a kind and its data. */
export type NewEvent = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

/** One entry of a job's log: `seq` starts at 1 and has no gaps. */
export type JobEvent = NewEvent & { seq: number; time: string };

export const JobEvent = z
  .discriminatedUnion(
    'type',
    EVENT_TYPES.map((type) =>
      z.object({ seq: z.int(), time: z.iso.datetime(), type: z.literal(type), data: EVENT_DATA[type] }),
    ) as unknown as [z.ZodObject<{ type: z.ZodLiteral<EventType> }>],
  )
  .meta({ id: 'JobEvent' });

export const EventsPage = z
  .object({
    events: z.array(JobEvent),
    next_after: z.int().describe('Give it as ?after= for the next page.'),
    ended: z.boolean(),
  })
  .meta({ id: 'EventsPage' });
