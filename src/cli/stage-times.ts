import type { EventType, JobEvent } from '../protocol/events.ts';
import { harmless } from './terminal.ts';

/** How long each stage of a job took, from its events, in order, with the total last. */
export function stageTimes(events: JobEvent[]): { stage: string; ms: number }[] {
  const at = (type: EventType) => {
    const event = events.findLast((one) => one.type === type);
    return event ? Date.parse(event.time) : null;
  };
  const stages: { stage: string; ms: number }[] = [];
  const between = (stage: string, from: number | null, to: number | null) => {
    if (from !== null && to !== null) stages.push({ stage, ms: Math.max(0, to - from) });
  };
  between('in the queue', at('job.scheduled'), at('job.started'));
  between('sandbox start', at('job.started'), at('sandbox.started'));
  between('input', at('sandbox.started'), at('input.ready'));
  stages.push(...blockTimes(events), ...modelTimes(events));
  for (const event of events) {
    if (event.type === 'output.packed') stages.push({ stage: 'packing', ms: event.data.duration_ms });
  }
  between('total', at('job.scheduled'), at('job.ended'));
  return stages;
}

function blockTimes(events: JobEvent[]) {
  const titles = new Map<number, string>();
  return events.flatMap((event) => {
    if (event.type === 'block.started') titles.set(event.data.block, event.data.title);
    if (event.type !== 'block.ended') return [];
    const { block, duration_ms } = event.data;
    return [{ stage: `block ${block}: ${harmless(titles.get(block) ?? '')}`, ms: duration_ms }];
  });
}

function modelTimes(events: JobEvent[]) {
  const replies = { count: 0, ms: 0 };
  const tools = { count: 0, ms: 0 };
  for (const event of events) {
    if (event.type !== 'model.reply' && event.type !== 'tool.result') continue;
    const of = event.type === 'model.reply' ? replies : tools;
    of.count += 1;
    of.ms += event.data.duration_ms;
  }
  if (replies.count === 0) return [];
  return [
    { stage: `model, ${replies.count} replies`, ms: replies.ms },
    { stage: `tools, ${tools.count} calls`, ms: tools.ms },
  ];
}
