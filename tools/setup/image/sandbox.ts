import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import type { Plugin } from 'esbuild';
import { SetupError } from '../output.ts';
import { ROOT } from '../root.ts';
import { buildImage } from './engine-calls.ts';

const SOURCE = join(ROOT, 'sandboxd/image');

/** Builds sandboxd and puts it on top of the base. */
export async function makeSandboxImage(docker: Docker, base: string, tag: string): Promise<void> {
  await withContext((context) => buildImage(docker, context, { t: tag, buildargs: { BASE: base } }));
}

/** A folder with the Dockerfile and what its steps copy, for as long as the action takes. */
export async function withContext<T>(action: (context: string) => Promise<T>): Promise<T> {
  const context = await mkdtemp(join(tmpdir(), 'sandbox-image-'));
  try {
    await bundle({
      entry: 'snapshot.ts',
      outfile: join(context, 'sandboxd.cjs'),
      // What Node.js takes a snapshot of.
      format: 'cjs',
    });
    await bundle({
      entry: 'kernel/node/program/main.ts',
      outfile: join(context, 'node-kernel.mjs'),
      format: 'esm',
    });
    await copyFile(join(ROOT, 'sandboxd/kernel/python.py'), join(context, 'python.py'));
    await chmod(join(context, 'python.py'), 0o644);
    await copyFile(join(SOURCE, 'Dockerfile'), join(context, 'Dockerfile'));
    await cp(join(ROOT, 'sandboxd/desktop/helper'), join(context, 'desktop'), { recursive: true });
    await cp(join(SOURCE, 'chromium'), join(context, 'chromium'), { recursive: true });
    for (const name of ['init', 'pty.c']) await copyFile(join(SOURCE, name), join(context, name));
    await chmod(join(context, 'init'), 0o755);
    return await action(context);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** zod brings its messages in every language, which is 43 % of the bundle; nobody reads them in a sandbox. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(path),
    }));
  },
};

interface Bundle {
  /** Below the folder of sandboxd. */
  entry: string;
  outfile: string;
  format: 'cjs' | 'esm';
}

/** One file with a program of sandboxd's and the libraries that it uses. */
async function bundle({ entry: name, outfile, format }: Bundle): Promise<void> {
  const entry = join(ROOT, 'sandboxd', name);
  if (!existsSync(entry)) throw new SetupError(`sandboxd cannot be built: expected its entry at ${entry}.`);
  const { build, stop } = await import('esbuild');
  try {
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format,
      target: 'node24',
      // Names stay, for readable stacks.
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      // An import whose options are known only when it runs is left as it is, as it should be.
      logOverride: { 'unsupported-dynamic-import': 'silent' },
      plugins: [englishOnly],
    });
  } finally {
    // Its service would live as long as what set-up hands over to.
    await stop();
  }
  await chmod(outfile, 0o644);
}
