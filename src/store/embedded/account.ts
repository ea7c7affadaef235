import { readFile } from 'node:fs/promises';
import { EmbeddedError } from './embedded-error.ts';

/** Whom PostgreSQL runs as. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

/** PostgreSQL looks its user up by name, so only one that exists will do. */
const NAMES = ['postgres', '_postgres', 'nobody'];

/**
 * The account for PostgreSQL, which refuses to run as root: when we are root, the one that owns the data folder
 * already, else `postgres`, else `nobody`. Null when we are not root: then it runs as we do.
 * @throws EmbeddedError when the system has none of them.
 */
export async function findAccount(ownerUid: number | null): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const owner = accounts.find(({ uid }) => uid !== 0 && uid === ownerUid);
  const named = NAMES.map((wanted) => accounts.find(({ name }) => name === wanted));
  const account = owner ?? named.find((found) => found !== undefined);
  if (account) return account;
  throw new EmbeddedError(
    `expected one of the users ${NAMES.join(', ')} to run PostgreSQL as, since it refuses root; found none. Start the server as another user, or set DATABASE_URL.`,
  );
}

function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    const account = { name: name ?? '', uid: Number(uid), gid: Number(gid) };
    return name && uid && account.uid > 0 && account.gid >= 0 ? [account] : [];
  });
}
