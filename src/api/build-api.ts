import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { drainRest, watchBody } from './body-deadline.ts';
import { jsonBody, noBody, rawBody } from './body-parsers.ts';
import { collectRoutes } from './collect-routes.ts';
import { Connections } from './connections.ts';
import { sendError } from './error-handler.ts';
import { guard } from './guard.ts';
import { Keys } from './keys.ts';
import { Keeper } from './live/keep.ts';
import { logRequest } from './log-requests.ts';
import { Metrics } from './metrics.ts';
import { type Api, type App, type BuildApiOptions, DEFAULT_DEADLINES } from './options.ts';
import { rateLimitOptions } from './rate-limit-options.ts';
import { refuseOddRequests } from './raw-errors.ts';
import { assetsRoute } from './routes/assets.ts';
import { cancelRoute } from './routes/cancel.ts';
import { deleteFileRoute } from './routes/delete-file.ts';
import { desktopControlRoutes, desktopRoute, desktopsRoute } from './routes/desktop.ts';
import { desktopCallsRoutes } from './routes/desktop-calls.ts';
import { docsRoutes } from './routes/docs.ts';
import { downloadRoute } from './routes/download.ts';
import { eventsRoute } from './routes/events.ts';
import { execRoutes } from './routes/exec.ts';
import { getFileRoute } from './routes/get-file.ts';
import { healthRoutes } from './routes/health.ts';
import { imageRoute } from './routes/image.ts';
import { jobRoute } from './routes/job.ts';
import { jobContextRoute } from './routes/job-context.ts';
import { jobsRoute } from './routes/jobs.ts';
import { kernelControlRoutes, kernelsRoutes } from './routes/kernels.ts';
import { logsRoutes } from './routes/logs.ts';
import { messageRoute } from './routes/message.ts';
import { metricsRoute } from './routes/metrics.ts';
import { moveFileRoute } from './routes/move-file.ts';
import { openapiRoute } from './routes/openapi.ts';
import { pauseRoute, resumeRoute } from './routes/pause.ts';
import { portsRoute, reachPortRoute } from './routes/ports.ts';
import { processesRoutes } from './routes/processes.ts';
import { putFileRoute } from './routes/put-file.ts';
import { rootRoute } from './routes/root.ts';
import { deleteSandboxRoute, sandboxesRoutes } from './routes/sandboxes.ts';
import { scheduleRoute } from './routes/schedule.ts';
import { statusRoute } from './routes/status.ts';
import { terminalRoute } from './routes/terminal.ts';
import { endTerminalRoute, terminalsRoute } from './routes/terminals.ts';
import { ticketsRoute } from './routes/tickets.ts';
import { watchRoute } from './routes/watch.ts';
import { serverOptions } from './server-options.ts';
import { Streams } from './streams.ts';
import { serveUpgrades } from './upgrades.ts';
import { validatorCompiler } from './validate.ts';

/**
 * The HTTP API as a fastify instance that is ready and does not listen yet.
 * Closing it ends the streams that are open at once and lets other answers finish.
 */
export async function buildApi(options: BuildApiOptions): Promise<App> {
  const keys = new Keys(options.config.API_KEYS);
  const api: Api = {
    ...options,
    deadlines: { ...DEFAULT_DEADLINES, ...options.deadlines },
    streams: new Streams(),
    keys,
    keeper: new Keeper(options.store, options.log),
    isAuthorized: ({ headers }) => !keys.required || keys.indexOf(headers) !== -1,
  };
  const onError = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    void sendError(api, error, request, reply);
  const app: App = Fastify(
    serverOptions(options, api.deadlines, onError),
  ).withTypeProvider<ZodTypeProvider>();
  const metrics = new Metrics(api);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  refuseOddRequests(app.server);
  serveUpgrades(app.server, api);

  const { table, documented } = collectRoutes(app);
  if (options.config.RATE_LIMIT_PER_MINUTE > 0)
    await app.register(rateLimit, rateLimitOptions(options.config, keys));
  guard(app, api, keys, table);
  app.addHook('onRequest', async (request, reply) => {
    if (!isStreamed(request)) watchBody(request, reply, api.deadlines.body);
  });
  app.addHook('onResponse', async (request, reply) => {
    drainRest(request);
    metrics.observe(request, reply);
    logRequest(request, reply);
  });
  const connections = new Connections(app.server);
  app.addHook('preClose', async () => {
    api.streams.closeAll();
    connections.close();
  });
  app.addHook('onClose', async () => metrics.registry.clear());

  // In the order in which the documentation shows them.
  jsonBody(app);
  await app.register(async (scope: App) => {
    await scope.register(multipart);
    scheduleRoute(scope, api);
  });
  statusRoute(app, api);
  jobsRoute(app, api);
  jobRoute(app, api);
  jobContextRoute(app, api);
  logsRoutes(app, api);
  downloadRoute(app, api);
  eventsRoute(app, api);
  imageRoute(app, api);
  messageRoute(app, api);
  portsRoute(app, api);
  ticketsRoute(app, api);
  terminalRoute(app, api);
  desktopRoute(app, api);
  desktopsRoute(app, api);
  desktopControlRoutes(app, api);
  sandboxesRoutes(app, api);
  execRoutes(app, api);
  processesRoutes(app, api);
  kernelsRoutes(app, api);
  desktopCallsRoutes(app, api);
  moveFileRoute(app, api);
  watchRoute(app, api);
  terminalsRoute(app, api);
  healthRoutes(app, api);
  metricsRoute(app, metrics);
  openapiRoute(app, api, documented);
  rootRoute(app, api);
  docsRoutes(app, api);
  assetsRoute(app);
  await app.register(async (scope: App) => {
    noBody(scope);
    cancelRoute(scope, api);
    deleteSandboxRoute(scope, api);
    kernelControlRoutes(scope, api);
    endTerminalRoute(scope, api);
    pauseRoute(scope, api);
    resumeRoute(scope, api);
  });
  await app.register(async (scope: App) => {
    rawBody(scope);
    getFileRoute(scope, api);
    putFileRoute(scope, api);
    deleteFileRoute(scope, api);
    reachPortRoute(scope, api);
  });
  await app.ready();
  return app;
}

/** Multipart bodies and files go straight to where they belong, however long they take. */
function isStreamed({ routeOptions, headers }: FastifyRequest): boolean {
  return routeOptions.config?.streamed === true || headers['content-type']?.startsWith('multipart/') === true;
}
