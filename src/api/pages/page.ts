import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Html, html } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; --back: light-dark(#fbfbfa, #16181b); --card: light-dark(#ffffff, #1e2125);
  --text: light-dark(#1c1e21, #e6e7e9); --soft: light-dark(#646a73, #9aa1ab); --line: light-dark(#e3e4e6, #30343a);
  --link: light-dark(#0b57d0, #8ab4f8); --good: light-dark(#137333, #81c995); --bad: light-dark(#b3261e, #f2b8b5);
  --busy: light-dark(#0b57d0, #8ab4f8); --wait: light-dark(#8a5300, #fdd663); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; }
p { margin: .35rem 0; } a { color: var(--link); } .soft { color: var(--soft); }
code, pre { font: .9em/1.5 ui-monospace, monospace; } .head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem; margin-top: .75rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem; overflow-x: auto; margin: 0; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem .9rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } tr:target { background: color-mix(in srgb, var(--wait) 18%, transparent); }
th { color: var(--soft); font-weight: 500; font-size: .87rem; } td.prompt { max-width: 24rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
td.tight, th.tight { white-space: nowrap; }
.status { font-weight: 600; white-space: nowrap; } .status::before { content: '●'; margin-right: .45em; font-size: .75em; }
.complete { color: var(--good); } .failed { color: var(--bad); } .running { color: var(--busy); } .waiting { color: var(--wait); }
.scheduled, .cancelled { color: var(--soft); }
`;

/** The page runs no script and loads nothing; only its own style applies. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface Page {
  title: string;
  body: Html;
  /** Seconds after which the browser loads it again. */
  refresh?: number;
}

/** Sends a page that is whole by itself: no script, no font, no picture from anywhere. */
export function sendPage(reply: FastifyReply, { title, body, refresh }: Page): FastifyReply {
  const again = refresh === undefined ? html`` : html`<meta http-equiv="refresh" content="${refresh}">`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
${again}
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-store')
    .send(page.text);
}
