import type { AggregateKind, Envelope } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

/** Text headers; a message's other bytes are not kept. */
export type Headers = Readonly<Record<string, string>>;

/** A message as it came, before anything is known about it. */
export interface RawMessage {
  readonly topic: string;
  /** -1 for an event that was fetched from its owner and not read from Kafka. */
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** A valid event on its way to a handler. */
export interface Delivery {
  readonly envelope: Envelope;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly headers: Headers;
}

/**
 * Applies events. Inbox rows, gates and offsets are in the same transaction, so each event takes effect once. A thrown
 * error rolls all of it back: the guilty event is found, parked and tried again.
 */
export type DeliveryHandler = (deliveries: readonly Delivery[], tx: Tx) => Promise<void>;

export interface SubscriptionOptions {
  /** Names the consumer group, inbox and gates; never renamed, or everything is applied again. */
  readonly consumer: string;
  /** All topics of this kind of aggregate. */
  readonly kind: AggregateKind;
  /** Whether the handler gets an aggregate's events as 1, 2, 3 … (a gate) or as they come. */
  readonly ordered: boolean;
}

export interface ConsumerBinding extends SubscriptionOptions {
  readonly handle: DeliveryHandler;
}

/** Trying again is of no use. Thrown by a handler, it sends the event straight to the dead letters. */
export class PoisonError extends Error {
  override readonly name: string = 'PoisonError';
}
