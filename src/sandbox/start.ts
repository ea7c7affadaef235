import type { Logger } from 'pino';
import { SANDBOX_PATHS } from '../protocol/sandboxd.ts';
import { connectSandbox } from './connection/connect-sandbox.ts';
import type { Driver, SandboxHandle, SandboxSpec } from './driver.ts';
import type { AddressRange } from './egress/addresses.ts';
import { createGate, type EgressGate } from './egress/gate.ts';
import type { Sandbox } from './sandbox.ts';

/** A sandbox that this process holds. */
export interface StartedSandbox {
  handle: SandboxHandle;
  sandbox: Sandbox;
  /** Its way out: denies everything until a policy is assigned. */
  egress: EgressGate;
  /** Milliseconds from the order until it could run a command. */
  startMs: number;
  /** Lets go of it, leaving it to run: another process may attach. */
  release(): Promise<void>;
  /** Ends it and what it wrote. */
  destroy(): Promise<void>;
}

export interface StartOptions {
  driver: Driver;
  /** Certificate authorities that it is to trust, as {@link readCaBundle} gives them. */
  caBundle: Buffer;
  /** Ranges that EGRESS_PRIVATE_ALLOW opens. */
  privateAllow: readonly AddressRange[];
  log: Logger;
}

/**
 * Makes a sandbox, ready to run commands. When it fails or is aborted, at whichever stage, nothing is left.
 * @throws CodedError as the driver and the connection do; the signal's reason.
 */
export async function startSandbox(
  spec: SandboxSpec,
  options: StartOptions,
  signal?: AbortSignal,
): Promise<StartedSandbox> {
  const began = performance.now();
  const handle = await options.driver.create(spec, signal);
  try {
    const attached = await attachSandbox(handle, options, signal);
    try {
      await attached.sandbox.write(SANDBOX_PATHS.caBundle, options.caBundle, signal ? { signal } : {});
    } catch (error) {
      await attached.release();
      throw error;
    }
    return { ...attached, startMs: performance.now() - began };
  } catch (error) {
    await options.driver.destroy(handle).catch((failure: unknown) => {
      options.log.warn(
        { err: failure, sandbox: handle.id },
        'a sandbox that failed to start was left behind',
      );
    });
    throw error;
  }
}

/**
 * Takes hold of a sandbox that exists: one of a worker that is gone, say.
 * @throws CodedError SANDBOX_LOST when it is gone, ENGINE_UNAVAILABLE; the signal's reason.
 */
export async function attachSandbox(
  handle: SandboxHandle,
  { driver, privateAllow, log }: StartOptions,
  signal?: AbortSignal,
): Promise<StartedSandbox> {
  const began = performance.now();
  const egress = createGate({ privateAllow, log: log.child({ sandbox: handle.id }) });
  const sandbox = await connectSandbox(driver, handle, {
    egress: (channel) => egress.serve(channel),
    ...(signal ? { signal } : {}),
  }).catch((error) => {
    egress.close();
    throw error;
  });
  async function release(): Promise<void> {
    egress.close();
    await sandbox.close();
  }
  return {
    handle,
    sandbox,
    egress,
    startMs: performance.now() - began,
    release,
    async destroy() {
      await release();
      await driver.destroy(handle);
    },
  };
}
