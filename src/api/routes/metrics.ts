import type { Metrics } from '../metrics.ts';
import type { App } from '../options.ts';

export function metricsRoute(app: App, metrics: Metrics): void {
  app.get(
    '/metrics',
    {
      config: {
        probe: true,
        docs: {
          id: 'getMetrics',
          tag: 'Server',
          summary: 'Numbers for Prometheus',
          answers: {
            200: { description: 'The text format of Prometheus.', type: 'text/plain', form: 'text' },
          },
          errors: ['STORE_UNAVAILABLE'],
        },
      },
    },
    async (_request, reply) =>
      reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
