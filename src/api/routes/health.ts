import { z } from 'zod';
import { engineState } from '../../sandbox/engine-state.ts';
import { checkStore } from '../../store/check-store.ts';
import { liveWorkers } from '../../store/workers.ts';
import { once } from '../once.ts';
import type { Api, App } from '../options.ts';

const CHECK_TIMEOUT_MS = 3_000;
/** Both calls answer without a key: asked often, they must not be a way to load the engine. */
const CHECK_EVERY_MS = 1_000;

const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

const Part = z.object({ ready: z.boolean(), detail: z.string() });
const Readiness = z
  .object({ ready: z.boolean(), store: Part, engine: Part, image: Part, workers: Part })
  .meta({ id: 'Readiness', description: 'Each part that a job needs, with its state.' });
type Part = z.infer<typeof Part>;

const EXAMPLE = {
  ready: true,
  store: { ready: true, detail: 'PostgreSQL 18.4' },
  engine: { ready: true, detail: 'Docker 28.5, runtime of the engine' },
  image: { ready: true, detail: 'image containerized-agent-sandbox:0.1.0 (1f0c9e6d2b7a)' },
  workers: { ready: true, detail: '1 worker' },
};

export function healthRoutes(app: App, api: Api): void {
  app.get(
    '/healthz',
    {
      schema: { response: { 200: Health } },
      config: {
        open: true,
        probe: true,
        docs: {
          id: 'getHealth',
          tag: 'Server',
          summary: 'Whether the server is alive',
          answer: 'It is.',
          example: { status: 'ok' },
          errors: [],
        },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  const check = once(() => readiness(api), CHECK_EVERY_MS);
  app.get(
    '/readyz',
    {
      schema: { response: { 200: Readiness, 503: Readiness } },
      config: {
        open: true,
        probe: true,
        docs: {
          id: 'getReadiness',
          tag: 'Server',
          summary: 'Whether jobs can be taken and run',
          answer: 'Every part is ready.',
          example: EXAMPLE,
          answers: {
            503: {
              description: 'A part is not ready; its detail says what to do.',
              type: 'application/json',
              schema: Readiness,
              example: { ...EXAMPLE, ready: false, workers: { ready: false, detail: 'no worker is alive' } },
            },
          },
          errors: [],
        },
      },
    },
    async (_request, reply) => {
      const state = await check();
      return reply
        .code(state.ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(state);
    },
  );
}

async function readiness({ store, engine }: Api) {
  const [storeState, sandboxes, workers] = await Promise.all([
    part('the database', () => checkStore(store)),
    engineParts(engine),
    part('the list of workers', () => workersState(store)),
  ]);
  const parts = { store: storeState, ...sandboxes, workers };
  return { ready: Object.values(parts).every(({ ready }) => ready), ...parts };
}

/** The engine and its image, which are asked for at once and mended apart. */
async function engineParts(check: Api['engine']): Promise<{ engine: Part; image: Part }> {
  const state = await part('the engine', check);
  const { engine, image } = 'image' in state ? state : engineState(state, null);
  return { engine, image };
}

async function workersState(store: Api['store']): Promise<Part> {
  const { length } = await liveWorkers(store);
  if (length === 0)
    return { ready: false, detail: 'no worker is alive; start one, or set WORKER_CONCURRENCY above 0' };
  return { ready: true, detail: length === 1 ? '1 worker' : `${length} workers` };
}

/** A check that always answers in time: one that throws or hangs is a part that is not ready. */
async function part<T extends Part>(name: string, check: () => Promise<T>): Promise<T | Part> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Part>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, {
      ready: false,
      detail: `${name} did not answer within ${CHECK_TIMEOUT_MS / 1_000} s`,
    });
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return { ready: false, detail: `${name}: ${error instanceof Error ? error.message : 'unknown fault'}` };
  } finally {
    clearTimeout(timer);
  }
}
