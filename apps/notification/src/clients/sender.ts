import type { Letter } from '../domain/templates.js';

/** A letter with its address. */
export interface Outgoing extends Letter {
  /** The same at each try: what a receiver can tell a second arrival by. */
  readonly messageId: string;
  readonly address: string;
}

/** Carries messages of one channel out of the house. Two of them exist for each: the real one, and none (`undefined`). */
export interface Sender {
  /** @throws SendingError */
  send(outgoing: Outgoing): Promise<void>;
  close(): Promise<void>;
}

/** It did not go out, or nobody knows whether it did. */
export class SendingError extends Error {
  override readonly name = 'SendingError';

  constructor(
    /** Holds nothing of the message: it is published. */
    readonly reason: string,
    /** Another try would be refused as this one was. */
    readonly permanent: boolean,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}
