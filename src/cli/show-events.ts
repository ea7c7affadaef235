import type { JobEvent } from '../protocol/events.ts';
import { planLines } from '../protocol/notebook.ts';
import { duration, harmless, type Terminal } from './terminal.ts';

/** The one or two lines that a person is shown of an event; null of what would only be noise. */
export function describeEvent(event: JobEvent, { style }: Terminal): string | null {
  switch (event.type) {
    case 'job.started':
      return event.data.attempt === 1
        ? style('bold', 'Started')
        : style('bold', `Started again (attempt ${event.data.attempt})`);
    case 'job.waiting':
      return style('yellow', event.data.reason === 'paused' ? 'Paused' : 'Waiting for an answer');
    case 'job.resumed':
      return 'Goes on';
    case 'job.requeued':
      return style('yellow', `Back in the queue: ${event.data.reason}`);
    case 'sandbox.started':
      return `Sandbox ready in ${duration(event.data.start_ms)}${event.data.warm ? ', from the warm pool' : ''}`;
    case 'sandbox.reattached':
      return 'Took up the sandbox of the attempt before';
    case 'sandbox.lost':
      return style('red', `Sandbox lost: ${harmless(event.data.reason)}`);
    case 'input.ready': {
      const { files, git } = event.data;
      if (files === 0 && !git) return null;
      const parts = [git ? `${harmless(git)} cloned` : '', files > 0 ? `${files} files` : ''];
      return `Input: ${parts.filter(Boolean).join(', ')}`;
    }
    case 'message.user':
      return `${style('cyan', 'You:')} ${harmless(event.data.text)}`;
    case 'control.taken':
      return style('cyan', `${harmless(event.data.holder)} has taken control of the desktop`);
    case 'control.released':
      return style('cyan', `${harmless(event.data.holder)} no longer has control of the desktop`);
    case 'model.reply':
      return event.data.text.trim() === '' ? null : `\n${harmless(event.data.text.trim())}`;
    case 'model.retry':
      return style(
        'yellow',
        `The model is tried again in ${duration(event.data.delay_ms)}: ${harmless(event.data.reason)}`,
      );
    case 'context.compacted': {
      const { kind, from_step, through_step, tokens_before, tokens_after } = event.data;
      const how = kind === 'stubs' ? 'results shortened' : kind === 'summary' ? 'summarised' : 'left out';
      const tokens = `about ${tokens_before} tokens to ${tokens_after}`;
      return style('dim', `What the model sees: steps ${from_step} to ${through_step} ${how}, ${tokens}`);
    }
    case 'tool.started':
      return style('cyan', `> ${event.data.tool} ${harmless(event.data.summary)}`);
    case 'tool.result':
      return event.data.is_error ? style('red', `  ${harmless(firstLine(event.data.content))}`) : null;
    case 'note.pinned':
    case 'note.updated':
      return `${style('cyan', `Note ${event.data.note}:`)} ${harmless(event.data.text)}`;
    case 'plan.set':
      return planLines(event.data.items).map(harmless).join('\n');
    case 'question.asked':
      return `\n${style('yellow', 'Question:')} ${harmless(event.data.question)}`;
    case 'block.started': {
      const { block, of, language, title } = event.data;
      return `\n${style('bold', `[${block}/${of}] ${harmless(title)}`)} ${style('dim', `(${language})`)}`;
    }
    case 'block.ended': {
      const { exit_code, signal, timed_out, duration_ms } = event.data;
      if (exit_code === 0) return style('green', `ok, ${duration(duration_ms)}`);
      const how = timed_out ? 'out of time' : signal ? `killed by ${signal}` : `exit code ${exit_code}`;
      return style('red', `${how}, ${duration(duration_ms)}`);
    }
    case 'port.opened': {
      const { port, url, title } = event.data;
      return `${style('cyan', url)} ${style('dim', title ? harmless(title) : `port ${port}`)}`;
    }
    case 'egress':
      return event.data.allowed
        ? null
        : style('yellow', `Connection to ${event.data.host}:${event.data.port} denied (${event.data.rule})`);
    case 'output.packed':
      return `\nOutput packed in ${duration(event.data.duration_ms)}`;
    case 'notice':
      return style('dim', harmless(event.data.text));
    case 'job.ended': {
      const { status, error, summary } = event.data;
      const head = style(status === 'complete' ? 'green' : 'red', status);
      const why = error ? `: ${error.code}: ${harmless(error.message)}\n${harmless(error.hint)}` : '';
      return `\nThe job is ${head}${why}${summary ? `\n${harmless(summary)}` : ''}`;
    }
    default:
      return null;
  }
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? '';
