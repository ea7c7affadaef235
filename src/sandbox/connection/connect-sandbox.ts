import type { Duplex } from 'node:stream';
import type { Frame } from '../../protocol/frames.ts';
import type { Driver, SandboxHandle } from '../driver.ts';
import type { Sandbox } from '../sandbox.ts';
import { type CallRequest, call } from './call.ts';
import { keepEgressOpen } from './egress-channel.ts';
import { fileMethods } from './files.ts';
import { hello } from './hello.ts';
import { Link } from './link.ts';
import { processMethods } from './processes.ts';

export interface ConnectOptions {
  /** Serves the sandbox's way out; called again with a new channel whenever one is cut. Without it nothing gets out. */
  egress?: (channel: Duplex) => void;
  /** Gives up connecting. */
  signal?: AbortSignal;
}

/** Makes a call on the connection there is, or on a new one. */
export type Caller = (request: CallRequest) => AsyncGenerator<Frame>;

/**
 * Connects to a sandbox, waiting for its daemon to come up. A connection that is cut is made again: calls under way
 * fail with CONNECTION_LOST, later ones do not notice. When the sandbox cannot be reached any more, `lost` tells.
 * @throws CodedError SANDBOX_LOST, SANDBOX_START_FAILED (another version of the protocol), ENGINE_UNAVAILABLE.
 */
export async function connectSandbox(
  driver: Driver,
  handle: SandboxHandle,
  { egress, signal }: ConnectOptions = {},
): Promise<Sandbox> {
  const link = new Link(driver, handle);
  try {
    await link.session(signal);
  } catch (error) {
    link.close();
    throw error;
  }
  const kept = egress ? keepEgressOpen(driver, handle, egress, link.over) : Promise.resolve();
  const caller: Caller = async function* (request) {
    yield* call(await link.session(), request);
  };
  return {
    id: handle.id,
    hello: async (options) => hello(await link.session(), options?.signal),
    ...processMethods(caller),
    ...fileMethods(caller),
    lost: link.lost,
    async close() {
      link.close();
      await kept;
    },
  };
}
