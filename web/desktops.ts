import { apiKey, forgetKey } from './access.ts';
import { showStatus } from './status.ts';

const LOOK_MS = 3_000;

interface Listed {
  job_id: string;
  status: string;
  prompt: string;
  started: string | null;
}

/** The jobs that have a sandbox now, newest first. */
async function liveJobs(): Promise<Listed[]> {
  for (;;) {
    const key = await apiKey();
    const headers: HeadersInit = key === null ? {} : { authorization: `Bearer ${key}` };
    const responses = await Promise.all(
      ['running', 'waiting'].map((status) => fetch(`./jobs?status=${status}&limit=200`, { headers })),
    );
    if (responses.every(({ ok }) => ok)) {
      const pages = (await Promise.all(responses.map((response) => response.json()))) as { jobs: Listed[] }[];
      return pages.flatMap(({ jobs }) => jobs).sort((a, b) => (a.job_id < b.job_id ? 1 : -1));
    }
    if (!responses.some(({ status }) => status === 401)) throw new Error('The server does not answer');
    forgetKey();
  }
}

function row({ job_id, status, prompt, started }: Listed): HTMLElement {
  const link = document.createElement('a');
  link.href = `./desktop/${job_id}`;
  const title = document.createElement('strong');
  title.textContent =
    prompt
      .trim()
      .split('\n', 1)[0]
      ?.replace(/^#+\s*/, '') || 'A job without words';
  const facts = document.createElement('span');
  facts.textContent = [status, started && `since ${new Date(started).toLocaleTimeString()}`]
    .filter(Boolean)
    .join(' ');
  const id = document.createElement('code');
  id.textContent = job_id;
  link.append(title, facts, id);
  return link;
}

async function show(): Promise<void> {
  const list = document.querySelector('#list');
  try {
    const jobs = await liveJobs();
    showStatus('good', jobs.length === 1 ? '1 job runs' : `${jobs.length} jobs run`);
    if (jobs.length > 0) list?.replaceChildren(...jobs.map(row));
    else {
      const none = document.createElement('p');
      none.textContent = 'No job runs now. Each that does has its desktop here.';
      list?.replaceChildren(none);
    }
  } catch (error) {
    showStatus('bad', (error as Error).message);
  }
  setTimeout(() => void show(), LOOK_MS);
}

void show();
