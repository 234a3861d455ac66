import type { AggregateKind } from '@payflow/contracts';

/** Read-your-writes with the broker down. */
export abstract class EventCatchUp {
  /**
   * Waits until the consumer has applied the aggregate's events up to this sequence: first for Kafka, then by asking
   * the owner's event API for what is missing and applying it through the same gate.
   *
   * @returns the sequence up to which the consumer has applied when the deadline came; at least `upToSequence` is success
   */
  abstract catchUp(
    consumer: string,
    kind: AggregateKind,
    aggregateId: string,
    upToSequence: number,
    deadlineMs: number,
  ): Promise<number>;
}
