import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyRequest } from 'fastify';
import { ERRORS } from '../../protocol/errors.ts';
import type { Api, App } from '../options.ts';
import { html } from '../pages/html.ts';
import { sendPage } from '../pages/page.ts';

const gzipped = promisify(gzip);

/** The page to read and try the API, and the list of its errors. Both come from this server alone. */
export function docsRoutes(app: App, api: Api): void {
  app.get('/docs/errors', { config: { open: true } }, async (_request, reply) =>
    sendPage(reply, { title: 'Errors of containerized-agent', body: errorsPage() }),
  );
  app.register(async (scope) => {
    let script: Promise<Buffer> | null = null;
    scope.addHook('onSend', async (request, reply, payload) => {
      if (typeof payload !== 'string') return payload;
      if (String(reply.getHeader('content-type')).startsWith('text/html')) {
        reply.header('content-security-policy', policyOf(payload));
        return payload;
      }
      reply.header('cache-control', 'public, max-age=3600').header('vary', 'Accept-Encoding');
      if (request.method === 'HEAD' || !takesGzip(request)) return payload;
      // 5 MB that never change: packed once, at the first look.
      script ??= gzipped(payload);
      reply.header('content-encoding', 'gzip').removeHeader('content-length');
      return script;
    });
    await scope.register(scalar, {
      routePrefix: '/docs',
      logLevel: 'warn',
      configuration: {
        url: `${api.config.PUBLIC_URL?.replace(/\/+$/, '') ?? ''}/openapi.json`,
        pageTitle: 'API of containerized-agent',
        theme: 'default',
        // All that would talk to another host.
        withDefaultFonts: false,
        telemetry: false,
        agent: { disabled: true },
        mcp: { disabled: true },
        hideClientButton: true,
        showDeveloperTools: 'never',
        documentDownloadType: 'json',
        persistAuth: false,
        defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
      },
    });
  });
}

/** Only the page's own scripts, known by their hashes, and this host: what would call another one is stopped. */
function policyOf(page: string): string {
  const scripts = [...page.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src 'self' ${scripts.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const takesGzip = ({ headers }: FastifyRequest) => /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));

const errorsPage = () => html`<h1>Errors</h1>
<p class="soft">Every error of the API is <code>application/problem+json</code> with one of these codes. Those of status
500 also stand in the <code>error</code> of a job that failed.</p>
<p><a href="./">API</a></p>
<h2>Codes</h2>
<div class="scroll"><table>
<thead><tr><th>Code</th><th class="tight">Status</th><th>What it means</th><th>What to do</th></tr></thead>
<tbody>
${Object.entries(ERRORS).map(
  ([code, { status, title, hint }]) =>
    html`<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td><td>${hint}</td></tr>
`,
)}
</tbody>
</table></div>`;
