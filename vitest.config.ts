import { randomBytes } from 'node:crypto';
import { defineConfig } from 'vitest/config';

// Names what this run makes, so that it can be told from what another run on the same engine has.
const run = randomBytes(4).toString('hex');
process.env.TEST_RUN = run;

const canRunOci = process.platform === 'linux' && process.getuid?.() === 0;

const everything = { extends: true as const, test: { name: 'all', include: ['test/**/*.test.ts'] } };
/** What is about whole jobs runs on the second engine too. */
const onOci = {
  extends: true as const,
  test: { name: 'oci', include: ['test/e2e/*.test.ts'], env: { TEST_ENGINE: 'oci' } },
};

export default defineConfig({
  test: {
    projects: [everything, ...(canRunOci ? [onOci] : [])],
    pool: 'forks',
    // More than a small machine has processors: tests mostly wait, for containers and sockets.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    globalSetup: ['./test/support/global-setup.ts', './test/support/database-setup.ts'],
    reporters: ['default', './test/support/reporter.ts'],
    env: { TEST_RUN: run },
  },
});
