import { ENCODINGS, MESSAGES, QEMU, SET_ENCODINGS } from './rfb-messages.ts';

/** The client broke the protocol, or asked for what is not for it: its connection is to be closed. */
export class RfbViolation extends Error {}

/** The longest is a clipboard. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const VERSIONS = /^RFB 003\.00[78]\n$/;
const VERSION_BYTES = 12;
const NO_PASSWORD = 1;
const SHARED = 1;

/**
 * What of a client's bytes may go on to a VNC server: known messages alone, and those that act on the desktop only
 * while their sender has control. The bytes are read as the server reads them, so that nothing can hide in them.
 */
export class RfbFilter {
  readonly #mayControl: () => boolean;
  #stage: 'version' | 'security' | 'init' | 'messages' = 'version';
  #rest: Buffer = Buffer.alloc(0);

  /** @param mayControl asked for each message that acts on the desktop; without it the message is dropped */
  constructor(mayControl: () => boolean) {
    this.#mayControl = mayControl;
  }

  /** The bytes that go on. @throws RfbViolation */
  take(bytes: Buffer): Buffer {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const passed: Buffer[] = [];
    for (let next = this.#next(); next; next = this.#next()) passed.push(next);
    return Buffer.concat(passed);
  }

  /** What of the next message goes on; null when it is not whole yet. */
  #next(): Buffer | null {
    switch (this.#stage) {
      case 'version': {
        const version = this.#cut(VERSION_BYTES);
        if (!version) return null;
        if (!VERSIONS.test(version.toString('latin1'))) throw new RfbViolation('expected RFB 3.7 or 3.8');
        this.#stage = 'security';
        return version;
      }
      case 'security': {
        const type = this.#cut(1);
        if (!type) return null;
        if (type[0] !== NO_PASSWORD) throw new RfbViolation('expected security type 1');
        this.#stage = 'init';
        return type;
      }
      case 'init':
        if (!this.#cut(1)) return null;
        this.#stage = 'messages';
        // Never alone: that would throw the other viewers out.
        return Buffer.from([SHARED]);
      case 'messages':
        return this.#message();
    }
  }

  #message(): Buffer | null {
    for (;;) {
      const [type] = this.#rest;
      if (type === undefined) return null;
      const kind = MESSAGES.get(type);
      if (!kind) throw new RfbViolation(`found a message of unknown type ${type}`);
      const length = kind.length(this.#rest);
      if (length === null) return null;
      if (length > MAX_MESSAGE_BYTES) throw new RfbViolation(`found a message of ${length} bytes`);
      const message = this.#cut(length);
      if (!message) return null;
      if (type === QEMU && message[1] !== 0) throw new RfbViolation('found an unknown message of QEMU');
      if (kind.input && !this.#mayControl()) continue;
      return type === SET_ENCODINGS ? knownEncodings(message) : message;
    }
  }

  #cut(length: number): Buffer | null {
    if (this.#rest.length < length) return null;
    const cut = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return cut;
  }
}

function knownEncodings(message: Buffer): Buffer {
  const kept: number[] = [];
  for (let at = 4; at < message.length; at += 4) {
    const encoding = message.readInt32BE(at);
    if (ENCODINGS.has(encoding)) kept.push(encoding);
  }
  const rewritten = Buffer.alloc(4 + 4 * kept.length);
  rewritten[0] = SET_ENCODINGS;
  rewritten.writeUInt16BE(kept.length, 2);
  for (const [i, encoding] of kept.entries()) rewritten.writeInt32BE(encoding, 4 + 4 * i);
  return rewritten;
}
