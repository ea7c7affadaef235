import { existsSync } from 'node:fs';
import { DESKTOP } from '../../src/protocol/desktop.ts';

/** Variable by which the processes of one call find each other; see tree.ts. */
export const MARK = 'SANDBOX_PROCESS';

/** What is sandboxd's own business and would mislead the programs that it starts. */
const OWN = /^(SANDBOXD_.*|NODE_OPTIONS|NODE_COMPILE_CACHE)$/;

/** Settings by which programs find a bundle of certificates; each reads its own. */
const CA_VARIABLES = [
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'DENO_CERT',
  'YARN_HTTPS_CA_FILE_PATH',
];

/** What processes get: the container's own variables, the way out, and the certificates to trust. */
export class Environment {
  readonly #base: Record<string, string>;
  readonly #caBundle: string;
  #ca: Record<string, string> | null = null;

  constructor(container: NodeJS.ProcessEnv, caBundle: string, proxyPort: number) {
    const own = Object.entries(container).filter((entry): entry is [string, string] => !OWN.test(entry[0]));
    const proxy = proxyVariables(`http://127.0.0.1:${proxyPort}`);
    this.#base = { ...Object.fromEntries(own), ...proxy, DISPLAY: DESKTOP.display };
    this.#caBundle = caBundle;
  }

  /** The variables of a process: what is given goes over the rest. */
  of(id: string, given: Record<string, string> = {}): Record<string, string> {
    // The bundle comes after the start, written by the worker.
    if (!this.#ca && existsSync(this.#caBundle)) {
      this.#ca = Object.fromEntries(CA_VARIABLES.map((name) => [name, this.#caBundle]));
    }
    return { ...this.#base, ...this.#ca, ...given, [MARK]: id };
  }
}

function proxyVariables(proxy: string): Record<string, string> {
  const direct = 'localhost,127.0.0.1,::1';
  return {
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    no_proxy: direct,
    NO_PROXY: direct,
    NODE_USE_ENV_PROXY: '1',
    // Yarn 2 and later reads none of the above.
    YARN_HTTP_PROXY: proxy,
    YARN_HTTPS_PROXY: proxy,
    // Downloaders of Electron and Playwright ask for this.
    ELECTRON_GET_USE_PROXY: '1',
  };
}
