import { access, constants, mkdir } from 'node:fs/promises';
import pg from 'pg';
import pino from 'pino';
import { type Config, readConfig } from '../config.ts';
import { createModel } from '../model/create-model.ts';
import { wordsOf } from '../protocol/words-of.ts';
import { chooseDriver } from './choose-driver.ts';
import { checkPort } from './port-in-use.ts';
import { createTerminal } from './terminal.ts';

/** What was found of one thing that a server needs or may use. */
interface Finding {
  name: string;
  /** `missing` only of what a server cannot do without. */
  state: 'ok' | 'optional' | 'missing';
  /** What was found; of what is missing, what to do about it. */
  detail: string;
}

const OLDEST_NODE = [22, 19] as const;

/** Says in a line each what is there and what is not. Resolves with the exit code: 1 when something needed is missing. */
export async function doctor(env: NodeJS.ProcessEnv): Promise<number> {
  const { line, style } = createTerminal();
  const config = readConfig(env);
  const findings = [
    checkNode(),
    await checkEngine(config),
    await checkData(config),
    await checkDatabase(config),
    checkModel(config),
    await checkPorts(config),
  ];
  for (const { name, state, detail } of findings) {
    const word = {
      ok: style('green', 'ok     '),
      optional: style('yellow', 'unset  '),
      missing: style('red', 'missing'),
    };
    line(`${word[state]}  ${name.padEnd(9)} ${detail}`);
  }
  return findings.some(({ state }) => state === 'missing') ? 1 : 0;
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const detail = `Node.js ${process.versions.node}${recent ? '' : `; expected ${OLDEST_NODE.join('.')} or newer: npm start brings one`}`;
  return { name: 'node', state: recent ? 'ok' : 'missing', detail };
}

async function checkEngine(config: Config): Promise<Finding> {
  const driver = await chooseDriver(config, pino({ level: 'silent' }));
  const { ready, detail } = await driver.check();
  await driver.close();
  return { name: 'engine', state: ready ? 'ok' : 'missing', detail };
}

async function checkData({ DATA_DIR }: Config): Promise<Finding> {
  try {
    await mkdir(DATA_DIR, { recursive: true });
    await access(DATA_DIR, constants.W_OK);
    return { name: 'data', state: 'ok', detail: DATA_DIR };
  } catch (error) {
    const detail = `${DATA_DIR} cannot be written (${wordsOf(error)}): set DATA_DIR to a folder that can`;
    return { name: 'data', state: 'missing', detail };
  }
}

async function checkDatabase({ DATABASE_URL }: Config): Promise<Finding> {
  if (DATABASE_URL === undefined) return { name: 'database', state: 'ok', detail: 'embedded, in DATA_DIR' };
  const client = new pg.Client({ connectionString: DATABASE_URL, connectionTimeoutMillis: 5_000 });
  // A connection that breaks later is no news here.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return {
      name: 'database',
      state: 'ok',
      detail: `PostgreSQL ${rows[0]?.server_version}, of DATABASE_URL`,
    };
  } catch (error) {
    const detail = `the database of DATABASE_URL does not answer (${wordsOf(error)}): start it, mend the URL, or unset it for the embedded one`;
    return { name: 'database', state: 'missing', detail };
  } finally {
    await client.end().catch(() => {});
  }
}

function checkModel(config: Config): Finding {
  if (config.MODEL === undefined) {
    const detail =
      'none; runbooks need none. For prompts set MODEL=provider/name and the key of its provider';
    return { name: 'model', state: 'optional', detail };
  }
  try {
    createModel(config, config.MODEL);
    return { name: 'model', state: 'ok', detail: config.MODEL };
  } catch (error) {
    return { name: 'model', state: 'missing', detail: `${config.MODEL}: ${wordsOf(error)}` };
  }
}

async function checkPorts(config: Config): Promise<Finding> {
  const { HOST, PORT, NOVNC_PORT } = config;
  try {
    await checkPort('PORT', config);
    await checkPort('NOVNC_PORT', config);
    return { name: 'ports', state: 'ok', detail: `${PORT} and ${NOVNC_PORT} on ${HOST} are free` };
  } catch (error) {
    return { name: 'ports', state: 'missing', detail: wordsOf(error) };
  }
}
