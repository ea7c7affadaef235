import { z } from 'zod';
import type { EventData } from '../../protocol/events.ts';
import { isFinal, type Job } from '../../protocol/job.ts';
import { listJobs } from '../../store/list-jobs.ts';
import { openedPorts } from '../../store/opened-ports.ts';
import { accepts } from '../accepts.ts';
import { baseUrl } from '../base-url.ts';
import type { Api, App } from '../options.ts';
import { type Html, html } from '../pages/html.ts';
import { sendPage } from '../pages/page.ts';

const RECENT = 25;
const REFRESH_S = 5;

const About = z
  .object({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) })
  .meta({ id: 'About' });

const PATHS = {
  schedule: '/schedule',
  jobs: '/jobs',
  docs: '/docs',
  errors: '/docs/errors',
  openapi: '/openapi.json',
  health: '/healthz',
  readiness: '/readyz',
  metrics: '/metrics',
};

export function rootRoute(app: App, api: Api): void {
  app.get(
    '/',
    {
      schema: { response: { 200: About } },
      config: {
        open: true,
        docs: {
          id: 'getRoot',
          tag: 'Server',
          summary: 'What this server is',
          description:
            'A page of links and recent jobs for a browser; with `Accept: application/json`, name, version and links.',
          answer: 'Name, version, links.',
          example: {
            name: 'containerized-agent',
            version: '0.1.0',
            links: { docs: 'http://127.0.0.1:8000/docs' },
          },
          answers: { 200: { description: 'Name, version, links.', type: 'text/html', form: 'text' } },
          errors: ['NOT_ACCEPTABLE'],
        },
      },
    },
    async (request, reply) => {
      reply.header('vary', 'Accept');
      const base = baseUrl(request, api.config);
      if (accepts(request, ['application/json', 'text/html']) === 'application/json') {
        const links = Object.fromEntries(Object.entries(PATHS).map(([name, path]) => [name, base + path]));
        return { name: 'containerized-agent', version: api.version, links };
      }
      const jobs = api.isAuthorized(request) ? (await listJobs(api.store, { limit: RECENT })).jobs : null;
      const live = (jobs ?? []).filter(isLive).map(({ id }) => id);
      const ports = await openedPorts(api.store, live);
      return sendPage(reply, {
        title: 'containerized-agent',
        body: page({ jobs, ports, base, version: api.version }),
        refresh: REFRESH_S,
      });
    },
  );
}

/** Whether there is a machine to look at. */
const isLive = ({ status, sandbox }: Job) => !isFinal(status) && sandbox !== null;

interface Shown {
  jobs: Job[] | null;
  /** What agents have opened to people, by the job's id. */
  ports: Awaited<ReturnType<typeof openedPorts>>;
  base: string;
  version: string;
}

const page = ({ jobs, ports, base, version }: Shown): Html => html`<div class="head">
<h1>containerized-agent</h1>
<span class="soft">${version}</span>
</div>
<p class="soft">A prompt goes in, an agent works on it in a machine of its own, a zip comes out.</p>
<nav>
<a href="${base}/docs">API</a>
<a href="${base}/docs/errors">Errors</a>
<a href="${base}/openapi.json">OpenAPI</a>
<a href="${base}/jobs">Jobs as JSON</a>
<a href="${base}/readyz">Readiness</a>
<a href="${base}/healthz">Health</a>
<a href="${base}/metrics">Metrics</a>
</nav>
<h2>Recent jobs</h2>
${jobs === null ? html`<p class="soft">This server asks for an API key; jobs are shown to requests that carry one.</p>` : table(jobs, ports, base)}
<h2>Schedule one</h2>
<pre>curl ${base}/schedule -H 'content-type: application/json' ${jobs === null ? '-H "authorization: Bearer $KEY" ' : ''}\\
  -d '{"prompt": "&#96;&#96;&#96;bash\\necho hello > hello.txt\\n&#96;&#96;&#96;"}'</pre>`;

function table(jobs: Job[], ports: Shown['ports'], base: string): Html {
  if (jobs.length === 0) return html`<p class="soft">There are none yet.</p>`;
  return html`<div class="scroll"><table>
<thead><tr><th>Status</th><th>Prompt</th><th>Created</th><th>Took</th><th>See</th></tr></thead>
<tbody>
${jobs.map((job) => row(job, ports.get(job.id) ?? [], base))}
</tbody>
</table></div>`;
}

const row = (job: Job, opened: EventData<'port.opened'>[], base: string): Html => html`<tr>
<td><span class="status ${job.status}">${job.status}</span>${job.error ? html`<br><span class="soft">${job.error.code}</span>` : ''}</td>
<td class="prompt" title="${job.id}">${firstLine(job.request.prompt)}</td>
<td class="tight"><time datetime="${job.created}">${job.created.slice(0, 19).replace('T', ' ')}</time></td>
<td class="tight">${took(job)}</td>
<td class="tight"><a href="${base}/job/${job.id}">all</a> · <a href="${base}/logs/${job.id}/stdout">log</a> · <a href="${base}/events/${job.id}?limit=1000">events</a>${
  job.output ? html` · <a href="${base}/download/${job.id}">zip</a>` : ''
}${isLive(job) ? html` · <a href="${base}/desktop/${job.id}">desktop</a> · <a href="${base}/terminal/${job.id}">terminal</a>` : ''}${opened.map(
  ({ port, title, url }) => html`<br><a href="${url}" rel="noreferrer">${title ?? `port ${port}`}</a>`,
)}</td>
</tr>
`;

const firstLine = (prompt: string) => prompt.trim().split('\n', 1)[0]?.slice(0, 200).toWellFormed() ?? '';

function took({ started, completed }: Job): string {
  if (started === null) return '';
  const ms = (completed === null ? Date.now() : Date.parse(completed)) - Date.parse(started);
  const s = Math.max(0, Math.round(ms / 1_000));
  return s < 90 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
