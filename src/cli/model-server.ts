import { loadScript } from '../model/scripted/script.ts';
import { startScriptedModelServer } from '../model/scripted/server.ts';
import { stopSignals } from './stop-signals.ts';
import { createTerminal } from './terminal.ts';

/** Serves a scripted model until SIGINT or SIGTERM. Resolves with the exit code. */
export async function modelServer(options: { script: string; port: number }): Promise<number> {
  const { line } = createTerminal();
  const stop = stopSignals();
  const server = await startScriptedModelServer({
    script: await loadScript(options.script),
    port: options.port,
  });
  try {
    line(`The scripted model listens on ${server.url}. Use it with`);
    line(
      `  MODEL=openai-compatible/scripted OPENAI_BASE_URL=${server.url}/v1 OPENAI_API_KEY=scripted npm start`,
    );
    await stop.first;
    return 0;
  } finally {
    await server.close();
    stop.end();
  }
}
