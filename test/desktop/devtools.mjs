// Evaluates an expression in the page that Chromium shows, through its DevTools port, and prints the value as JSON.
const [expression] = process.argv.slice(2);
/** @type {{ type: string, webSocketDebuggerUrl: string }[]} */
const targets = JSON.parse(await (await fetch('http://127.0.0.1:9222/json')).text());
const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
const params = { expression, returnByValue: true, awaitPromise: true };
socket.addEventListener('open', () =>
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params })),
);
socket.addEventListener('message', ({ data }) => {
  process.stdout.write(`${JSON.stringify(JSON.parse(data).result.result.value)}\n`);
  socket.close();
});
