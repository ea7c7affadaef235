import { rmSync } from 'node:fs';
import { Session } from 'node:inspector';
import { createServer, type Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { readLines } from '../lines.ts';
import type { FromMain, ToMain } from './messages.ts';
import { prepare, Unreadable } from './prepare.ts';

/** Serves the one caller: prepares code, hands it to the main thread, and breaks off there what is interrupted. */
export function listen(path: string): void {
  const main = parentPort;
  if (!main) throw new Error('expected to run in a thread of its own');
  let caller: Socket | null = null;
  let running = 0;
  let cells = 0;

  const answer = (message: FromMain): void => void caller?.write(`${JSON.stringify(message)}\n`);
  const done = (exception: { name: string; message: string; traceback: string } | null): void => {
    answer({ event: 'done', run: running, exception });
    running = 0;
  };
  function run(id: number, code: string): void {
    running = id;
    cells += 1;
    const name = `cell-${cells}.ts`;
    try {
      main?.postMessage({ run: id, code: prepare(code, name), name, source: code } satisfies ToMain);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      done({
        name: 'SyntaxError',
        message: error.message,
        traceback: `${name}: SyntaxError: ${error.message}`,
      });
    }
  }
  function interrupt(): void {
    // Connected no longer than needed: Node.js would wait for it before it exits.
    const inspector = new Session();
    inspector.connectToMainThread();
    inspector.post('Runtime.terminateExecution', () => inspector.disconnect());
    // Heard when the main thread is free again.
    main?.postMessage({ interrupted: running } satisfies ToMain);
  }
  main.on('message', (message: FromMain) => {
    if (message.event === 'display') answer(message);
    if (message.event === 'done' && message.run === running) done(message.exception);
  });
  rmSync(path, { force: true });
  createServer((socket) => {
    caller = socket;
    socket.on('error', () => {});
    // Nobody is left to run code for.
    socket.once('close', () => process.kill(process.pid, 'SIGKILL'));
    readLines(socket, (value) => {
      const message = value as { run: number; code: string } | { interrupt: true };
      if ('run' in message) run(message.run, message.code);
      else interrupt();
    });
  }).listen(path);
}
