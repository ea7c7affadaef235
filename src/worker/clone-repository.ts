import { CodedError } from '../protocol/errors.ts';
import { type LogType, WORKSPACE } from '../protocol/job.ts';
import type { ProcessEnded } from '../protocol/sandboxd.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** What of git's words goes into the job's error. */
const KEPT_BYTES = 8 * 1024;
const LAST_LINES = 8;

interface CloneOptions {
  sandbox: Sandbox;
  git: { url: string; ref: string | null };
  env: Record<string, string>;
  signal: AbortSignal;
  log(type: LogType, bytes: Buffer): Promise<void>;
  redact(text: string): string;
}

/**
 * Clones the repository into the workspace, which is empty, without history where the ref allows it.
 * Credentials of the URL do not stay in the clone's settings, which would go into the output.
 * @throws CodedError GIT_CLONE_FAILED with git's last lines.
 */
export async function cloneRepository(options: CloneOptions): Promise<void> {
  const { url, ref } = options.git;
  if (ref !== null && isCommit(ref)) await cloneCommit(options, ref);
  else {
    const branch = ref === null ? [] : [`--branch=${ref}`];
    const { ended, words } = await run(options, ['clone', '--depth=1', ...branch, '--', url, '.']);
    // A server of plain files cannot leave history out.
    if (/shallow/i.test(words) && ended.exit_code !== 0)
      await git(options, ['clone', ...branch, '--', url, '.']);
    else check(options, 'clone', ended, words);
  }
  const clean = withoutCredentials(url);
  if (clean !== url) await git(options, ['remote', 'set-url', 'origin', clean]);
}

const isCommit = (ref: string): boolean => /^[0-9a-f]{7,64}$/i.test(ref);

/** A server may refuse to send one commit alone, and never does so by a shortened name: then all history is needed. */
async function cloneCommit(options: CloneOptions, commit: string) {
  await git(options, ['init', '--quiet', '.']);
  await git(options, ['remote', 'add', 'origin', options.git.url]);
  const alone = await run(options, ['fetch', '--depth=1', 'origin', commit]);
  if (alone.ended.exit_code === 0) return git(options, ['checkout', '--quiet', '--detach', 'FETCH_HEAD']);
  await git(options, ['fetch', '--tags', 'origin']);
  await git(options, ['checkout', '--quiet', commit, '--']);
}

async function git(options: CloneOptions, args: string[]): Promise<void> {
  const { ended, words } = await run(options, args);
  check(options, args[0] ?? '', ended, words);
}

function check(options: CloneOptions, command: string, ended: ProcessEnded, words: string): void {
  if (ended.exit_code === 0) return;
  const last = options.redact(words).trim().split('\n').slice(-LAST_LINES).join('\n');
  const how = ended.signal ? `was killed by ${ended.signal}` : `ended with exit code ${ended.exit_code}`;
  const from = options.redact(withoutCredentials(options.git.url));
  throw new CodedError('GIT_CLONE_FAILED', `git ${command} of ${from} ${how}: ${last || 'it said nothing'}`);
}

async function run(options: CloneOptions, args: string[]): Promise<{ ended: ProcessEnded; words: string }> {
  let words: Buffer = Buffer.alloc(0);
  const ended = await options.sandbox.exec(
    { argv: ['git', ...args], cwd: WORKSPACE, env: { ...options.env, GIT_TERMINAL_PROMPT: '0' } },
    {
      signal: options.signal,
      async onOutput(stream, bytes) {
        if (stream === 'stderr') words = Buffer.concat([words, bytes]).subarray(-KEPT_BYTES);
        await options.log(stream, bytes);
      },
    },
  );
  return { ended, words: words.toString() };
}

/** The user name and password of a URL, as they stand in it and decoded: to be kept out of logs. */
export function urlCredentials(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { username, password } = new URL(url);
  return [username, password].flatMap((part) => [part, decode(part)]).filter((part) => part.length >= 4);
}

/** The URL as it may be shown and kept. An ssh URL needs its user name, which is no secret. */
export function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.password = '';
  if (parsed.protocol !== 'ssh:') parsed.username = '';
  return parsed.href === new URL(url).href ? url : parsed.href;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
