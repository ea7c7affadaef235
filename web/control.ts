import { address, pageId } from './access.ts';

export interface Holder {
  holder: string;
  expires: string;
}

/** The page cannot be used any more: the job has ended, or there is none. */
export class Over extends Error {}

const ENDED = new Set(['JOB_ENDED', 'JOB_NOT_FOUND', 'INVALID_ID']);
const TOKEN = 'control-token';

/** Control of this page's desktop: who has it, and this page's own. It outlives a reload of the page. */
export class Control {
  readonly #ticket: string | null;
  readonly #place = `${TOKEN} ${pageId()}`;

  constructor(ticket: string | null) {
    this.#ticket = ticket;
  }

  /** What proves this page's control; null when it has none. */
  get token(): string | null {
    return sessionStorage.getItem(this.#place);
  }

  /** Who has control now. @throws Over */
  async holder(): Promise<Holder | null> {
    const { control } = (await this.#call('GET')) as { control: Holder | null };
    return control;
  }

  /** Takes it, or keeps it. @throws Error with why not, in words */
  async take(): Promise<void> {
    const { token } = this;
    const granted = (await this.#call('POST', token === null ? {} : { token })) as { token: string };
    sessionStorage.setItem(this.#place, granted.token);
  }

  async release(): Promise<void> {
    const { token } = this;
    this.forget();
    if (token === null) return;
    const url = address(`/desktop/${pageId()}/control`);
    url.searchParams.set('token', token);
    await fetch(url, { method: 'DELETE', keepalive: true });
  }

  /** It has ended. */
  forget(): void {
    sessionStorage.removeItem(this.#place);
  }

  async #call(method: 'GET' | 'POST', body?: object): Promise<unknown> {
    const response = await fetch(address(`/desktop/${pageId()}/control`), {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(this.#ticket !== null && { 'x-ticket': this.#ticket }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { code?: string; detail?: string };
    if (response.ok) return answer;
    const why = answer.detail ?? `the server answered ${response.status}`;
    throw ENDED.has(answer.code ?? '') ? new Over(why) : new Error(why);
  }
}
