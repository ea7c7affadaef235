/** The routes that there are, to tell an unknown address (404) from a method that an address does not take (405). */
export class RouteTable {
  readonly #routes: { pattern: RegExp; methods: Set<string> }[] = [];
  readonly #byUrl = new Map<string, Set<string>>();

  add(url: string, methods: readonly string[]): void {
    let known = this.#byUrl.get(url);
    if (!known) {
      known = new Set(['OPTIONS']);
      this.#byUrl.set(url, known);
      this.#routes.push({ pattern: patternOf(url), methods: known });
    }
    for (const method of methods) known.add(method);
  }

  /** The methods that a path takes, sorted; empty for an unknown one. */
  allowed(path: string): string[] {
    const methods = this.#routes.flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : []));
    return [...new Set(methods)].sort();
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}/?$`);
}
