import { setTimeout as wait } from 'node:timers/promises';
import type Docker from 'dockerode';
import { answered, engineAnswer } from './engine.ts';

const GIVE_UP_MS = 60_000;
const PAUSE_MS = 50;

/**
 * Removes a container with all of its processes and files, and returns when it is gone. One that is gone already is
 * no error; a removal under way elsewhere is waited for; a passing "device or resource busy" is tried again.
 * @throws what the engine's client throws; the engine's last refusal after 60 s.
 */
export async function removeContainer(docker: Docker, ref: string): Promise<void> {
  const container = docker.getContainer(ref);
  const end = Date.now() + GIVE_UP_MS;
  for (;;) {
    try {
      await answered(container.remove({ force: true, v: true }));
      return;
    } catch (error) {
      const { status } = engineAnswer(error);
      if (status === 404) return;
      const passing = status === 409 || status === 500;
      if (!passing || Date.now() > end) throw error;
    }
    await wait(PAUSE_MS);
  }
}
