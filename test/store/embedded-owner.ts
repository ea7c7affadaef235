import { pino } from 'pino';
import { startEmbedded } from '../../src/store/embedded/start-embedded.ts';

// A process of its own that starts the embedded PostgreSQL of the folder given and waits to be killed.
const [dataDir = ''] = process.argv.slice(2);
try {
  const server = await startEmbedded({ dataDir, log: pino({ level: 'silent' }) });
  process.stdout.write(
    `${JSON.stringify({ ...server.connection, pid: server.pid(), adopted: server.adopted })}\n`,
  );
  process.once('SIGTERM', () => void server.stop());
} catch (error) {
  process.stderr.write(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  process.exitCode = 1;
}
