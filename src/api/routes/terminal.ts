import { LIVE_ERRORS } from '../live/live-sandbox.ts';
import type { Api, App } from '../options.ts';
import { sendApp } from '../pages/app-page.ts';
import { html } from '../pages/html.ts';
import { JobParams } from '../schemas.ts';
import { TerminalQuery } from '../terminal/serve-terminal.ts';

/** The page of a terminal; its WebSocket has the same address and is served by `upgrades.ts`. */
export function terminalRoute(app: App, api: Api): void {
  app.get(
    '/terminal/:id',
    {
      schema: { params: JobParams, querystring: TerminalQuery },
      config: {
        // The page says nothing of the job; its WebSocket asks for a key or a ticket.
        open: true,
        docs: {
          id: 'openTerminal',
          tag: 'While it runs',
          summary: 'A terminal in the live sandbox: a page, or a WebSocket',
          description:
            'As a WebSocket: binary messages are bytes, what is typed and what is shown. Text messages are JSON. The first one from here is `{"type":"opened","name","joined"}`, the last `{"type":"ended","exit_code","signal"}`; the client sends `{"type":"resize","rows","columns"}`. A terminal goes on for ten minutes when nobody sees it: who opens the same name joins it and is shown its last 256 KiB. Any number of names, and of viewers of each. A closed connection says why: 1000 the program has ended, 1011 the sandbox was cut off, 4000 a message that is none.',
          answers: {
            101: { description: 'The WebSocket.' },
            200: { description: 'The page.', type: 'text/html', form: 'text' },
          },
          errors: [...LIVE_ERRORS, 'TOO_MANY_PROCESSES', 'COMMAND_NOT_FOUND'],
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      return sendApp(api, reply, {
        title: 'Terminal',
        script: 'terminal.js',
        styles: ['xterm.css'],
        assets: '../assets',
        bar: html`<h1>Terminal</h1><code>${request.query.name}</code><span id="status" role="status">Loading</span>
<span class="space"></span><code class="id">${id}</code>`,
        body: html`<main id="screen" class="terminal"></main>`,
      });
    },
  );
}
