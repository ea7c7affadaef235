import type { Agent } from './agent.ts';
import { llm } from './llm.ts';
import { runbook } from './runbook.ts';

/** The agent that a job asks for. */
export const createAgent = (kind: 'llm' | 'runbook'): Agent => (kind === 'llm' ? llm : runbook);
