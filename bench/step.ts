import type { AgentContext } from '../src/agent/agent.ts';
import { makeBudget } from '../src/agent/context/budget.ts';
import { makeRoom } from '../src/agent/context/compact.ts';
import { layered } from '../src/agent/context/layered.ts';
import { Journal } from '../src/agent/journal.ts';
import { readConfig } from '../src/config.ts';
import type { ModelReply } from '../src/model/model.ts';
import type { EventData, JobEvent, NewEvent } from '../src/protocol/events.ts';
import { type Row, row, timed } from './row.ts';

/** A short log is outgrown at once: it is begun anew for every few steps. */
const SIZES = [
  { events: 100, logs: 50, steps: 10 },
  { events: 10_000, logs: 1, steps: 500 },
  { events: 100_000, logs: 1, steps: 500 },
];
const WARM_UP = 1_000;
const WINDOW = 200_000;
const OUTSIDE = 4_000;
const USAGE = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 100, cost_usd: null };
/** About 1,000 tokens a result, each unlike the others. */
const result = (step: number): string => `${`line of the output of step ${step}\n`.repeat(110)}[exit code 0]`;

/**
 * What a step costs of itself at a log of so many events, without model, tools and store: taking in its events, seeing
 * whether it fits (and compacting, once in so many steps), and making the messages.
 */
export async function step(): Promise<Row[]> {
  const warm = start();
  for (let i = 0; i < WARM_UP; i += 1) await warm.next();
  const rows: Row[] = [];
  for (const { events, logs, steps } of SIZES) {
    const times: number[] = [];
    let held = 0;
    for (let log = 0; log < logs; log += 1) {
      const { journal, next } = start();
      while (journal.newest < events) await next();
      for (let i = 0; i < steps; i += 1) times.push(await timed(next));
      held = journal.events.length;
    }
    rows.push(row(`a step's own cost at ${events} events`, times, 'ms', `${held} in memory;`));
  }
  return rows;
}

function start() {
  let seq = 0;
  const context = {
    job: { request: { prompt: 'Build it.' }, usage: { ...USAGE, steps: 0 } },
    history: [],
    append: async (...events: NewEvent[]) =>
      events.map((event) => ({ ...event, seq: ++seq, time: '2026-01-01T00:00:00Z' }) as JobEvent),
  };
  const journal = new Journal(context as unknown as AgentContext);
  const budget = makeBudget({ contextWindow: WINDOW }, readConfig({}));
  const work = {
    transcript: journal.transcript,
    view: journal.view,
    strategy: layered,
    outside: OUTSIDE,
    newest: () => journal.newest,
    append: journal.append.bind(journal),
    ask: async () => SUMMARY,
  };
  async function next(): Promise<void> {
    const number = journal.transcript.lastStep + 1;
    const seen = journal.newest;
    const { estimated } = await makeRoom(work, budget);
    journal.view.messages(budget.limits);
    const { window, input, limits } = budget;
    const view = { window, input, estimated, ...limits };
    const call = { id: 'a', name: 'shell', input: { command: `make ${number}` } };
    const usage = { ...USAGE, input_tokens: Math.round(estimated * 0.8) };
    const reply: EventData<'model.reply'> = {
      ...{ step: number, model: 'x/y', text: 'On.', tool_calls: [call], finish_reason: 'stop', usage },
      ...{ duration_ms: 1, seen, view },
    };
    await journal.append({ type: 'model.reply', data: reply });
    const about = { step: number, call_id: 'a', tool: 'shell' };
    await journal.append({ type: 'tool.started', data: { ...about, summary: `$ make ${number}` } });
    const ended = { is_error: false, exit_code: 0, duration_ms: 1, full_output: null };
    await journal.append({ type: 'tool.result', data: { ...about, content: result(number), ...ended } });
  }
  return { journal, next };
}

const SUMMARY: ModelReply = {
  model: 'x/y',
  text: `## State\n${'Something that is known by now.\n'.repeat(300)}`,
  toolCalls: [],
  finishReason: 'stop',
  usage: USAGE,
  durationMs: 1,
  provider: { role: 'assistant', content: [] },
};
