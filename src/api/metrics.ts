import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { JobStatus } from '../protocol/job.ts';
import { countJobs } from '../store/count-jobs.ts';
import type { Api } from './options.ts';

const PREFIX = 'containerized_agent_';

/** The numbers of /metrics, in a registry of their own, so that two servers in one process do not mix them. */
export class Metrics {
  readonly registry = new Registry();
  readonly #durations: Histogram<'method' | 'route' | 'status'>;

  constructor(api: Pick<Api, 'store' | 'stats' | 'streams'>) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#durations = new Histogram({
      name: `${PREFIX}http_request_duration_seconds`,
      help: 'From the request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    });
    new Gauge({
      name: `${PREFIX}jobs`,
      help: 'Jobs that are kept, by status.',
      labelNames: ['status'],
      registers,
      async collect() {
        const counts = await countJobs(api.store);
        for (const status of JobStatus.options) this.set({ status }, counts[status] ?? 0);
      },
    });
    new Gauge({
      name: `${PREFIX}open_streams`,
      help: 'Answers that stay open: events, logs that are followed.',
      registers,
      collect() {
        this.set(api.streams.size);
      },
    });
    for (const name of Object.keys(api.stats?.() ?? {})) {
      new Gauge({
        name: `${PREFIX}${name}`,
        help: `${name.replaceAll('_', ' ')} of this process.`,
        registers,
        collect() {
          this.set(api.stats?.()[name] ?? 0);
        },
      });
    }
  }

  observe(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: reply.statusCode };
    this.#durations.observe(labels, reply.elapsedTime / 1_000);
  }
}
