import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { buildApi } from '../api/build-api.ts';
import { desktopsServer } from '../api/desktops-server.ts';
import type { Config } from '../config.ts';
import { createModel } from '../model/create-model.ts';
import type { Driver } from '../sandbox/driver.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import { startWorker, type Worker } from '../worker/worker.ts';
import { chooseDriver } from './choose-driver.ts';
import { liveSandboxes } from './live-sandboxes.ts';
import { checkPort } from './port-in-use.ts';
import { readVersion } from './version.ts';

/** How long clients may take to read the end of their answers when the server stops. */
const LINGER_MS = 2_000;

/** A whole server in this process: store, driver, worker and API. */
export interface Server {
  /** Where it listens, such as http://127.0.0.1:8000. */
  url: string;
  /** Where the list of live desktops is. */
  desktopsUrl: string;
  config: Config;
  store: Store;
  driver: Driver;
  worker: Worker;
  /** Stops in order; running jobs may go on for `graceS` (default SHUTDOWN_GRACE_S), then they go back to the queue. */
  close(graceS?: number): Promise<void>;
}

/**
 * Starts a server: the only place that picks implementations. What was started is stopped again when a later part fails.
 * @throws PortInUse, and what the store fails with.
 */
export async function startServer(config: Config, log: Logger): Promise<Server> {
  await checkPort('PORT', config);
  await checkPort('NOVNC_PORT', config);
  const started = new AsyncDisposableStack();
  try {
    const store = await openStore(config, log);
    started.defer(() => store.close());
    const driver = await chooseDriver(config, log);
    started.defer(() => driver.close());
    let url = '';
    const worker = await startWorker({
      config,
      store,
      driver,
      createModel: (id) => createModel(config, id),
      log,
      baseUrl: () => url,
    });
    started.defer(() => worker.stop(0));
    const live = liveSandboxes({ driver, worker, log });
    started.defer(() => live.close());
    const app = await buildApi({
      config,
      store,
      live: live.of,
      engine: () => driver.check(),
      rootIsSafe: driver.rootIsSafe,
      stats: () => worker.state(),
      log,
      version: readVersion(),
    });
    started.defer(async () => {
      // A client that keeps its connection must not keep the server.
      const late = setTimeout(() => app.server.closeAllConnections(), LINGER_MS);
      await app.close().finally(() => clearTimeout(late));
    });
    await app.listen({ host: config.HOST, port: config.PORT });
    url = config.PUBLIC_URL ?? addressOf(app.server.address() as AddressInfo);
    const desktops = desktopsServer(app);
    started.defer(() => desktops.close());
    desktops.server.listen(config.NOVNC_PORT, config.HOST);
    await once(desktops.server, 'listening');
    const desktopsUrl = addressOf(desktops.server.address() as AddressInfo);
    const parts = started.move();
    const close = async (graceS?: number) => {
      await worker.stop(graceS);
      await parts.disposeAsync();
    };
    return { url, desktopsUrl, config, store, driver, worker, close };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
