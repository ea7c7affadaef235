/** The id that the page's address ends with. */
export const pageId = (): string => location.pathname.split('/').at(-1) ?? '';

/** An address of the server, at whatever path it is reached. */
export function address(path: string, scheme: 'http' | 'ws' = 'http'): URL {
  const url = new URL(`..${path}`, location.href);
  url.hash = '';
  url.search = '';
  if (scheme === 'ws') url.protocol = url.protocol.replace('http', 'ws');
  return url;
}

const KEY = 'api-key';

/** The API key that the user has given; asks for it where there is none. Null where the server wants none. */
export async function apiKey(): Promise<string | null> {
  if (document.documentElement.dataset.keys !== 'asked') return null;
  const known = sessionStorage.getItem(KEY);
  if (known !== null) return known;
  const key = await askForKey();
  sessionStorage.setItem(KEY, key);
  return key;
}

/** It was refused. */
export function forgetKey(): void {
  sessionStorage.removeItem(KEY);
}

/**
 * Gives what opens this page's WebSocket: the ticket of the address, else one for the API key that the user gives.
 * Null where the server asks for no key.
 */
export async function findTicket(scope: 'desktop' | 'terminal'): Promise<string | null> {
  const given = new URLSearchParams(location.hash.slice(1)).get('ticket');
  if (given !== null) return given;
  for (;;) {
    const key = await apiKey();
    if (key === null) return null;
    const response = await fetch(address(`/tickets/${pageId()}`), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ scope, ...(scope === 'desktop' && { control: true }), ttl_s: 86_400 }),
    });
    if (response.ok) return ((await response.json()) as { ticket: string }).ticket;
    const problem = (await response.json()) as { detail?: string };
    if (response.status !== 401) throw new Error(problem.detail ?? `the server answered ${response.status}`);
    forgetKey();
  }
}

/** Shows the page's form until it has a key. */
function askForKey(): Promise<string> {
  const form = document.querySelector<HTMLFormElement>('#key-form');
  const input = form?.querySelector('input');
  if (!form || !input) throw new Error('the page has no form for a key');
  form.hidden = false;
  input.focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      form.hidden = true;
      resolve(input.value.trim());
      input.value = '';
    };
  });
}
