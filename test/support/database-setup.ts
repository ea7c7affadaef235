import type { TestProject } from 'vitest/node';
import { startTestDatabase } from './database.ts';

/** One PostgreSQL for all tests of a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { connection, stop } = await startTestDatabase();
  project.provide('postgres', connection);
  return stop;
}
