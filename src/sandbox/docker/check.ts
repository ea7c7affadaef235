import type Docker from 'dockerode';
import type { EngineState } from '../driver.ts';
import { answered, type EngineFacts } from './engine.ts';

/**
 * Whether the engine can make sandboxes as they must be: one that cannot hold a limit or a protection is refused,
 * rather than used without it.
 * @throws what the engine's client throws, "no such image" among it.
 */
export async function checkEngine(
  docker: Docker,
  facts: EngineFacts,
  image: string,
  runtime: string | undefined,
): Promise<EngineState> {
  const engine = `Docker ${facts.version}`;
  if (runtime && !facts.runtimes.includes(runtime)) {
    const found = facts.runtimes.join(', ');
    const detail = `${engine} has no runtime "${runtime}" (it has ${found}): add it to its daemon.json, or unset SANDBOX_RUNTIME.`;
    return { ready: false, detail };
  }
  if (facts.lacks.length > 0) {
    const detail = `${engine} cannot give ${facts.lacks.join(', ')}: use an engine and a kernel that can.`;
    return { ready: false, detail };
  }
  const { Id } = await answered(docker.getImage(image).inspect());
  const short = Id.replace(/^sha256:/, '').slice(0, 12);
  return {
    ready: true,
    detail: `${engine}, image ${image} (${short}), runtime ${runtime ?? 'of the engine'}`,
  };
}
