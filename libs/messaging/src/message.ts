import { type AggregateKind, type Envelope, type Topic, TOPICS } from '@payflow/contracts';
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

interface SubscriptionCore {
  /** Names the consumer group, inbox and gates; never renamed, or everything is applied again. */
  readonly consumer: string;
  readonly kind: AggregateKind;
  /**
   * From one fetch to the next, at least, while it has caught up: what comes meanwhile is taken together, because a fetch and
   * a transaction cost the same for one event and for fifty. Shorter than `fetchPaceMs` where somebody waits for what it does.
   */
  readonly paceMs?: number;
}

/** An aggregate's events as 1, 2, 3 … (a gate): those of all topics of its kind. */
interface OrderedSubscription extends SubscriptionCore {
  readonly ordered: true;
}

/** Events as they come: of all topics of the kind, or of these alone. An event of another topic then costs nothing. */
interface UnorderedSubscription extends SubscriptionCore {
  readonly ordered: false;
  readonly topics?: readonly Topic[];
}

export type SubscriptionOptions = OrderedSubscription | UnorderedSubscription;

/** The topics that a subscription reads. */
export const topicsOf = (subscription: SubscriptionOptions): readonly Topic[] =>
  (subscription.ordered ? undefined : subscription.topics) ?? TOPICS[subscription.kind];

export type ConsumerBinding = SubscriptionOptions & { readonly handle: DeliveryHandler };

/** Trying again is of no use. Thrown by a handler, it sends the event straight to the dead letters. */
export class PoisonError extends Error {
  override readonly name: string = 'PoisonError';
}
