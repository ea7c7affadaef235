import { apiKey, forgetKey } from './access.ts';
import { showStatus } from './status.ts';

const LOOK_MS = 3_000;

interface Listed {
  id: string;
  title: string;
  status: string;
  since: string | null;
}

interface Lists {
  jobs: { job_id: string; status: string; prompt: string; started: string | null }[];
  sandboxes: { sandbox_id: string; status: string; ready: string | null; labels: Record<string, string> }[];
}

/** The jobs that have a sandbox now and the sandboxes without an agent, newest first. */
async function live(): Promise<Listed[]> {
  for (;;) {
    const key = await apiKey();
    const headers: HeadersInit = key === null ? {} : { authorization: `Bearer ${key}` };
    const calls = ['jobs?status=running&limit=200', 'jobs?status=waiting&limit=200', 'sandboxes?limit=200'];
    const responses = await Promise.all(calls.map((call) => fetch(`./${call}`, { headers })));
    if (responses.every(({ ok }) => ok)) {
      const lists = (await Promise.all(responses.map((response) => response.json()))) as Partial<Lists>[];
      const found = lists.flatMap(({ jobs = [], sandboxes = [] }) => [
        ...jobs.map(({ job_id, status, prompt, started }) => {
          return { id: job_id, title: titleOf(prompt), status, since: started };
        }),
        ...sandboxes.map(({ sandbox_id, status, ready, labels }) => {
          const named = Object.entries(labels).map((label) => label.join(': '));
          return { id: sandbox_id, title: ['Sandbox', ...named].join(' · '), status, since: ready };
        }),
      ]);
      return found.sort((a, b) => (a.id < b.id ? 1 : -1));
    }
    if (!responses.some(({ status }) => status === 401)) throw new Error('The server does not answer');
    forgetKey();
  }
}

/** The first line of a prompt, less the mark of a heading. */
const titleOf = (prompt: string): string =>
  prompt
    .trim()
    .split('\n', 1)[0]
    ?.replace(/^#+\s*/, '') || 'A job without words';

function row({ id, title, status, since }: Listed): HTMLElement {
  const link = document.createElement('a');
  link.href = `./desktop/${id}`;
  const name = document.createElement('strong');
  name.textContent = title;
  const facts = document.createElement('span');
  facts.textContent = [status, since && `since ${time(new Date(since))}`].filter(Boolean).join(' ');
  const code = document.createElement('code');
  code.textContent = id;
  link.append(name, facts, code);
  return link;
}

/** The time, and the day if it is another than today. */
function time(date: Date): string {
  const clock = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return date.toDateString() === new Date().toDateString() ? clock : `${date.toLocaleDateString()} ${clock}`;
}

async function show(): Promise<void> {
  const list = document.querySelector('#list');
  try {
    const found = await live();
    showStatus('good', found.length === 0 ? 'None now' : `${found.length} now`);
    if (found.length > 0) list?.replaceChildren(...found.map(row));
    else {
      const none = document.createElement('p');
      none.className = 'notice';
      none.textContent = 'Nothing runs now. Each job and each sandbox that does has its desktop here.';
      list?.replaceChildren(none);
    }
  } catch (error) {
    showStatus('bad', (error as Error).message);
  }
  setTimeout(() => void show(), LOOK_MS);
}

void show();
