import type Docker from 'dockerode';
import { CodedError } from '../../protocol/errors.ts';
import { type EngineState, engineState, type PartState } from '../engine-state.ts';
import { answered, type EngineFacts, engineError } from './engine.ts';

/**
 * Whether the engine can make sandboxes as they must be: one that cannot hold a limit or a protection is refused,
 * rather than used without it.
 * @throws what the engine's client throws, but for what is about the image alone.
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
    return engineState({ ready: false, detail }, null);
  }
  if (facts.lacks.length > 0) {
    const detail = `${engine} cannot give ${facts.lacks.join(', ')}: use an engine and a kernel that can.`;
    return engineState({ ready: false, detail }, null);
  }
  const detail = `${engine}, runtime ${runtime ?? 'of the engine'}`;
  return engineState({ ready: true, detail }, await imageState(docker, image));
}

async function imageState(docker: Docker, image: string): Promise<PartState> {
  try {
    const { Id } = await answered(docker.getImage(image).inspect());
    return { ready: true, detail: `image ${image} (${Id.replace(/^sha256:/, '').slice(0, 12)})` };
  } catch (error) {
    const found = engineError(error, image);
    if (!(found instanceof CodedError) || found.code !== 'IMAGE_MISSING') throw error;
    return { ready: false, detail: `${found.message} ${found.hint}` };
  }
}
