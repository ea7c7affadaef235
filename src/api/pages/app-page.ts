import type { FastifyReply } from 'fastify';
import type { Api } from '../options.ts';
import { type Html, html } from './html.ts';

/** Only what this server serves; styles also from scripts, since xterm.js makes its own. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

export interface AppPage {
  title: string;
  /** Its module, of {@link readAsset}; the folder of assets as the page reaches it comes before it. */
  script: string;
  styles: string[];
  /** Where /assets is, as seen from the page. */
  assets: string;
  bar: Html;
  body: Html;
}

/** Sends a page that lives by a script of ours. */
export function sendApp(api: Api, reply: FastifyReply, page: AppPage): FastifyReply {
  const { title, script, styles, assets, bar, body } = page;
  const text = html`<!doctype html>
<html lang="en" data-keys="${api.keys.required ? 'asked' : 'none'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
${['page.css', ...styles].map((name) => html`<link rel="stylesheet" href="${assets}/${name}">\n`)}
<script type="module" src="${assets}/${script}"></script>
</head>
<body>
<header id="bar">${bar}</header>
<form id="key-form" hidden>
<label for="key">API key</label>
<input id="key" type="password" autocomplete="off" required>
<button class="primary">Open</button>
</form>
${body}
</body>
</html>
`;
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-store')
    .send(text.text);
}
