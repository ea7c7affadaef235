/** How something is that sandboxes need. */
export interface PartState {
  ready: boolean;
  /** One line for a person: what it is, or what it lacks and what to do. */
  detail: string;
}

/** Whether sandboxes can be made, and of which engine and image; each of the two is mended in another way. */
export interface EngineState extends PartState {
  engine: PartState;
  image: PartState;
}

/** The state of an engine and of its image; null where the engine is in no state to be asked for one. */
export function engineState(engine: PartState, image: PartState | null): EngineState {
  if (!engine.ready) {
    const unknown = { ready: false, detail: 'not known while the engine is not ready' };
    return { ...engine, engine, image: image ?? unknown };
  }
  const known = image ?? { ready: false, detail: 'not known: the engine did not say' };
  return { ready: known.ready, detail: `${engine.detail}, ${known.detail}`, engine, image: known };
}
