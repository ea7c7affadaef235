import { openStore } from '/work/main/src/store/open-store.ts';
import { scheduleJob } from '/work/main/src/store/schedule-job.ts';
import { readConfig } from '/work/main/src/config.ts';
import pino from 'pino';
const config = readConfig({ DATA_DIR: process.argv[2] });
let t = performance.now();
const store = await openStore(config, pino({level:'debug'}));
console.log('open', performance.now() - t);
const request = { prompt: 'x\0\ud800', agent: 'runbook', model: null, files: [], git: null, env: {}, secret_names: [], network: { mode: 'public', allow: [] }, limits: { cpus: 1, memory_mb: 128, disk_mb: 64, pids: 32, timeout_s: 10, max_steps: 1, max_tokens: 1000, max_cost_usd: null }, privileges: 'user', output: { include: [], exclude: [] }, labels: {a:'b'}, priority: 0, callback_url: null } as const;
const times = [];
for (let i = 0; i < 300; i++) { const s = performance.now(); const r = await scheduleJob(store, { request: structuredClone(request) as any, secrets: {}, inputs: null, idempotency: null }); times.push(performance.now() - s); if (i === 0) console.log(JSON.stringify(r)); }
times.sort((a, b) => a - b); console.log('p50', times[150], 'p99', times[297]);
const got = await store.queue.fetch(3); console.log(got);
if (process.argv[3] === 'kill') process.kill(process.pid, 'SIGKILL');
t = performance.now();
await store.close(); console.log('close', performance.now() - t);
