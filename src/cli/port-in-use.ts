import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../config.ts';

type PortSetting = 'PORT' | 'NOVNC_PORT';

/** The port that the server is to listen on belongs to another program. */
export class PortInUse extends Error {
  constructor(host: string, port: number, setting: PortSetting) {
    super(
      `Port ${port} on ${host} is in use by another program, perhaps a server of this project that runs already. Stop that program, or set ${setting} to another port (${setting}=0 takes a free one).`,
    );
  }
}

/**
 * Tells early, before a database is started, that the server could not listen.
 * @throws PortInUse; other errors as the system gives them, an address that is not this machine's among them.
 */
export async function checkPort(setting: PortSetting, config: Config): Promise<void> {
  const { HOST: host, [setting]: port } = config;
  if (port === 0) return;
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new PortInUse(host, port, setting);
    throw error;
  } finally {
    probe.close();
  }
}
