import { readConfig } from '../config.ts';
import { createLog } from './log.ts';
import { stopSignals } from './stop-signals.ts';
import { createTerminal } from './terminal.ts';
import { readVersion } from './version.ts';
import { type Server, startServer } from './wire.ts';

/** How long a second signal waits for what is under way before the process ends anyway. */
const HURRY_MS = 3_000;

/** Serves until SIGINT or SIGTERM, then stops in order; resolves with the exit code. */
export async function serve(env: NodeJS.ProcessEnv): Promise<number> {
  const config = readConfig(env);
  const log = createLog(config);
  const stop = stopSignals();
  try {
    const server = await startServer(config, log);
    await showBanner(server);
    await stop.first;
    log.info({ graceS: config.SHUTDOWN_GRACE_S }, 'stopping; a second signal stops at once');
    const closed = server.close().then(() => 0);
    const hurried = stop.second.then(async () => {
      const inTime = AbortSignal.timeout(HURRY_MS);
      const late = new Promise<void>((resolve) => inTime.addEventListener('abort', () => resolve()));
      await Promise.race([server.worker.stop(0).then(() => closed), late]);
      return 1;
    });
    return await Promise.race([closed, hurried]);
  } finally {
    stop.end();
  }
}

async function showBanner({ url, desktopsUrl, config, driver }: Server): Promise<void> {
  const { line, style } = createTerminal();
  const engine = await driver.check();
  const model = config.MODEL ?? 'none: runbooks only; set MODEL=provider/name and its key for prompts';
  line();
  line(`${style('bold', `containerized-agent ${readVersion()}`)} listens on ${style('cyan', url)}`);
  line(`  docs    ${url}/docs`);
  line(`  desks   ${desktopsUrl}`);
  line(
    `  engine  ${engine.ready ? engine.detail : style('yellow', `not ready: ${engine.detail} Jobs wait until it is.`)}`,
  );
  line(`  model   ${model}`);
  line(`  data    ${config.DATA_DIR}${config.DATABASE_URL ? ', with the database of DATABASE_URL' : ''}`);
  line(style('dim', '  Ctrl-C stops it.'));
}
