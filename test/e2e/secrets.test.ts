import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { runbook, startTestServer, type TestServer } from '../support/server.ts';
import { unpackOutput } from '../support/zip.ts';

const SECRET = 'hunter2-Zq8/kd+93';
/** Every way that the job below prints it. */
const FORMS = [SECRET, Buffer.from(SECRET).toString('base64').replace(/=+$/, ''), encodeURIComponent(SECRET)];

/** Everything in the database as text: JSON columns as they are, bytes as the text they stand for. */
async function wholeDatabase({ store }: TestServer): Promise<string> {
  const tables = await sql<{ name: string }>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`.execute(store.db);
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.raw(name)}`.execute(store.db);
    for (const value of rows.flatMap((row) => Object.values(row))) {
      texts.push(Buffer.isBuffer(value) ? value.toString('latin1') : (JSON.stringify(value) ?? ''));
    }
  }
  return texts.join('\n');
}

test('a secret reaches the job, and nothing that is kept of it', async () => {
  const server = await startTestServer();
  const id = await server.schedule({
    prompt: runbook(
      'test "$(printf %s "$TOKEN" | wc -c)" = 17 && echo "it has 17 characters"',
      [
        'echo "raw: $TOKEN"',
        'printf %s "$TOKEN" | cut -c1-5 | tr -d "\\n"; sleep 0.5; printf %s "$TOKEN" | cut -c6-',
        'printf "%s" "$TOKEN" | base64',
        'node -p "encodeURIComponent(process.env.TOKEN)"',
        'echo "$TOKEN" > kept-by-the-user.txt',
        'ln -s "/$TOKEN" out',
        'echo "cannot log in with $TOKEN" >&2; exit 3',
      ].join('\n'),
    ),
    secrets: { TOKEN: SECRET },
  });
  await server.event(id, 'block.started');
  const during = await wholeDatabase(server);
  const events = JSON.stringify(await server.ended(id));
  const status = JSON.stringify(await server.client.status(id));
  const whole = await (await fetch(`${server.url}/job/${id}`)).text();
  const stdout = await server.log(id);
  const stderr = await server.log(id, 'stderr');
  const { manifest } = await unpackOutput(server, id);
  const kept = { during, after: await wholeDatabase(server), events, status, whole, stdout, stderr };

  expect(stdout).toContain('it has 17 characters');
  expect(stdout).toContain('raw: [secret TOKEN]');
  expect(status).toContain('cannot log in with [secret TOKEN]');
  expect(whole).toContain('TOKEN');
  for (const [where, text] of Object.entries({ ...kept, manifest: JSON.stringify(manifest) })) {
    for (const form of FORMS) expect(text.includes(form), `${form} in ${where}`).toBe(false);
  }
});
