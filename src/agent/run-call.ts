import { CodedError, type ErrorCode } from '../protocol/errors.ts';
import type { EventData, ImageRef, ToolCall } from '../protocol/events.ts';
import type { AgentContext } from './agent.ts';
import { INTERRUPTED } from './context/render-turn.ts';
import type { Journal } from './journal.ts';
import { keepLeftOut } from './keep-left-out.ts';
import { countRepeats, END_AFTER, loopWarning, WARN_AFTER } from './loop-breaker.ts';
import type { ToolResult } from './tool.ts';
import { findTool, TOOLS } from './tools.ts';

/** What a tool cannot be said to have failed with: the run is over. */
const ENDS_THE_RUN = new Set<ErrorCode>(['SANDBOX_LOST']);

export interface PendingCall {
  call: ToolCall;
  step: number;
  /** Its place in the reply, from 1. */
  place: number;
  /** Why it is not to be run at all; null when it is. */
  refusal: string | null;
}

/** Runs one call, or refuses it; either way the log gets exactly one result for it, which is returned. */
export async function runCall(
  context: AgentContext,
  journal: Journal,
  { call, step, place, refusal }: PendingCall,
): Promise<EventData<'tool.result'>> {
  const started = performance.now();
  const result = refusal === null ? await attempt() : { content: refusal, isError: true };
  const { images, notes } = await keepImages(context, result.images ?? []);
  const data: EventData<'tool.result'> = {
    step,
    call_id: call.id,
    tool: call.name,
    content: [result.content, ...notes].join('\n').trim(),
    is_error: result.isError ?? false,
    exit_code: result.exitCode ?? null,
    duration_ms: Math.round(performance.now() - started),
    full_output: result.fullOutput ?? null,
    ...(images.length > 0 && { images }),
  };
  const repeats = countRepeats([
    ...journal.events,
    { type: 'tool.result', data, seq: journal.newest + 1, time: '' },
  ]);
  if (repeats >= WARN_AFTER) data.content += loopWarning(repeats);
  if (data.is_error) await context.log('stdout', `! ${data.content.split('\n', 1)[0]}\n`);
  if (result.leftOut) await keepLeftOut(context, journal, { step, call }, result.leftOut);
  await journal.append({ type: 'tool.result', data });
  if (repeats >= END_AFTER)
    throw new CodedError(
      'LOOP_DETECTED',
      `The same calls gave the same results ${repeats} times, last ${call.name}: ${data.content.slice(0, 300)}`,
    );
  return data;

  async function attempt(): Promise<ToolResult> {
    const tool = findTool(call.name);
    if (!tool)
      return fault(
        `There is no tool "${call.name}". The tools are: ${TOOLS.map(({ name }) => name).join(', ')}.`,
      );
    const prepared = tool.prepare(call.input);
    if (typeof prepared === 'string') return fault(`The input of ${call.name} is wrong:\n${prepared}`);
    const holder = INPUT_TOOLS.has(call.name) ? await context.desktopHolder() : null;
    if (holder !== null) return fault(refusedInput(holder));
    const interrupted = journal.started(step, call);
    if (interrupted && !tool.repeatable) return fault(INTERRUPTED);
    const answer = await answerTo(journal, step, call);
    if (answer !== null) return { content: answer };
    const { summary } = prepared;
    if (!interrupted) {
      await journal.append({
        type: 'tool.started',
        data: { step, call_id: call.id, tool: call.name, summary: shorten(summary) },
      });
      await context.log('stdout', `${call.name === 'shell' ? summary : `> ${summary}`}\n`);
    }
    const append = journal.append.bind(journal);
    const waitForMessage = async () => {
      const message = await context.waitForMessage();
      journal.take([message]);
      return message;
    };
    try {
      return await prepared.run({
        ...context,
        append,
        waitForMessage,
        step,
        callId: call.id,
        name: `${step}-${place}`,
      });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof CodedError) || ENDS_THE_RUN.has(error.code)) throw error;
      return fault(`${error.code}: ${error.message}\n${error.hint}`);
    }
  }
}

/** Keeps a result's images; one that cannot be shown costs the model nothing but a note. */
async function keepImages(
  { images: kept }: AgentContext,
  given: Buffer[],
): Promise<{ images: ImageRef[]; notes: string[] }> {
  const images: ImageRef[] = [];
  const notes: string[] = [];
  for (const bytes of given) {
    try {
      images.push(await kept.save(bytes));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      notes.push(`[an image is not shown: ${error.message}]`);
    }
  }
  return { images, notes };
}

/** The tools that act on the desktop, which a person may have to themselves. */
const INPUT_TOOLS = new Set(['computer']);

const refusedInput = (holder: string): string =>
  `A person (${JSON.stringify(holder)}) has control of the desktop, so nothing was done. Watch with screenshots or go on with what needs no desktop; you are told when it is yours again. Without other work, run \`sleep 20\` in the shell and look again.`;

const fault = (content: string): ToolResult => ({ content, isError: true });
const shorten = (text: string): string => (text.length > 500 ? `${text.slice(0, 499)}…` : text);

/** The answer that came to a question when the run that asked it was over; null where none came. */
async function answerTo(journal: Journal, step: number, call: ToolCall): Promise<string | null> {
  const isOurs = (data: { step: number; call_id: string }) => data.step === step && data.call_id === call.id;
  const asked = journal.events.find((event) => event.type === 'question.asked' && isOurs(event.data));
  if (!asked) return null;
  const message = journal.events.find((event) => event.type === 'message.user' && event.seq > asked.seq);
  if (message?.type !== 'message.user') return null;
  const noted = journal.events.some((event) => event.type === 'question.answered' && isOurs(event.data));
  if (!noted) {
    const data = { step, call_id: call.id, message_seq: message.seq };
    await journal.append({ type: 'question.answered', data });
  }
  return message.data.text;
}
