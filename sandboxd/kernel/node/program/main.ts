/**
 * The kernel for TypeScript and JavaScript: `node FLAGS main.ts SOCKET`. The main thread runs the code; a second thread
 * listens on the socket, so that what comes there is read while code keeps the first one busy.
 */
import { isMainThread, Worker } from 'node:worker_threads';
import { Evaluator } from './evaluate.ts';
import { listen } from './listen.ts';
import { makeWorld } from './world.ts';

if (isMainThread) {
  const path = process.argv[2] ?? '';
  const worker = new Worker(new URL(import.meta.url), { argv: [path] });
  const evaluator = new Evaluator((message) => worker.postMessage(message));
  makeWorld((value) => evaluator.show('display', value), path);
  worker.on('message', (message) => evaluator.take(message));
} else {
  listen(process.argv[2] ?? '');
}
