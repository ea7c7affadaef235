import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { CodedError } from '../../protocol/errors.ts';

const { resolve: find } = createRequire(import.meta.url);
const WEB = resolve(import.meta.dirname, '../../../web');
const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};
/** Where pages find the packages that their sources name. */
const PACKAGES: Record<string, string> = {
  '@xterm/xterm': './xterm.mjs',
  '@xterm/addon-fit': './addon-fit.mjs',
  '@novnc/novnc': './novnc/core/rfb.js',
};

/** What pages load, by name: files of packages as they come, and our own scripts less their types. */
const FILES: Record<string, () => string> = {
  'xterm.mjs': () => join(packageFolder('@xterm/xterm'), 'lib/xterm.mjs'),
  'xterm.css': () => join(packageFolder('@xterm/xterm'), 'css/xterm.css'),
  'addon-fit.mjs': () => join(packageFolder('@xterm/addon-fit'), 'lib/addon-fit.mjs'),
  'page.css': () => join(WEB, 'page.css'),
  ...Object.fromEntries(
    ['access', 'control', 'desktop', 'desktops', 'notice', 'reconnect', 'status', 'terminal'].map((name) => [
      `${name}.js`,
      () => join(WEB, `${name}.ts`),
    ]),
  ),
};

const packageFolder = (name: string): string => dirname(find(`${name}/package.json`));

/** noVNC is some forty modules that import one another by their places. */
function ofNoVnc(name: string): string | undefined {
  if (!/^novnc\/(core|vendor)\/([\w-]+\/)*[\w-]+\.js$/.test(name)) return undefined;
  return join(dirname(find('@novnc/novnc')), '..', name.slice('novnc/'.length));
}

export interface Asset {
  bytes: Buffer;
  type: string;
  etag: string;
}

const loaded = new Map<string, Promise<Asset>>();

/** A file that pages load; read once. @throws CodedError NOT_FOUND */
export function readAsset(name: string): Promise<Asset> {
  const known = loaded.get(name);
  if (known) return known;
  const path = Object.hasOwn(FILES, name) ? FILES[name]?.() : ofNoVnc(name);
  if (path === undefined) throw new CodedError('NOT_FOUND', `there is no asset ${name.slice(0, 200)}`);
  const asset = load(path);
  loaded.set(name, asset);
  asset.catch(() => loaded.delete(name));
  return asset;
}

async function load(path: string): Promise<Asset> {
  const text = await readFile(path, 'utf8').catch((error: Error & { code?: string }) => {
    if (error.code !== 'ENOENT') throw error;
    throw new CodedError('NOT_FOUND', 'there is no such asset');
  });
  const bytes = Buffer.from(path.endsWith('.ts') ? asScript(text) : text);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  const extension = path.split('.').at(-1) ?? '';
  return { bytes, type: TYPES[extension] ?? TYPES.js ?? '', etag };
}

function asScript(source: string): string {
  return quietly(() => stripTypeScriptTypes(source)).replace(
    /(\bfrom ')([^']+)(')/g,
    (_all, before, name, after) => {
      return before + (PACKAGES[name] ?? name.replace(/\.ts$/, '.js')) + after;
    },
  );
}

/** Node.js warns that stripping types is experimental; it is how it runs these very sources. */
function quietly<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
