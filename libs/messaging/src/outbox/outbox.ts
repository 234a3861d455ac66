import { newId } from '@payflow/kernel';
import type { Envelope, EventDefinition } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';
import { currentContext } from '@payflow/service';

import { groupBy } from '../group-by.js';
import { causesIn, eventHeaders } from './headers.js';
import { NO_PUBLICATIONS, type Numbered, numberEvents } from './number-events.js';
import { insertOutboxRows, lastSequenceOf, lockPublications, type OutboxRow, storePublications } from './outbox-sql.js';

/** A fact to be told. Its id, number, correlation and cause are given by the outbox. */
export interface OutgoingEvent {
  readonly definition: EventDefinition;
  readonly aggregateId: string;
  readonly merchantId: string | null;
  /** Kafka's key: the merchant, else the user, else the aggregate. */
  readonly key: string;
  /** Checked against the definition. */
  readonly payload: unknown;
  readonly occurredAt: Date;
}

/** A bug: a service tried to publish what its contract does not allow. Nothing is committed. */
export class ContractViolationError extends Error {
  override readonly name = 'ContractViolationError';
}

export class Outbox {
  constructor(
    private readonly service: string,
    private readonly envelopeBytesMax: number,
    /** Tells the relay of this process that there is work; a relay elsewhere polls. */
    private readonly onCommitted: () => void,
  ) {}

  /**
   * Stores events to be sent, in this order. Make it the last statements of the transaction: from here to the commit
   * the aggregates' counters are locked, which is what keeps positions in commit order for each aggregate.
   *
   * @throws ContractViolationError when a payload does not fit its definition
   */
  async publish(tx: Tx, events: readonly OutgoingEvent[]): Promise<void> {
    if (events.length === 0) return;
    const checked = events.map((event) => ({ ...event, payload: checkedPayload(event) }));
    const byAggregate = groupBy(checked, ({ aggregateId }) => aggregateId);
    const before = await lockPublications(tx, [...byAggregate.keys()]);
    const numberings = new Map(
      [...byAggregate].map(([id, own]) => [
        id,
        numberEvents(before.get(id) ?? NO_PUBLICATIONS, own, ({ definition }) => definition.topic),
      ]),
    );
    const numberOf = new Map(
      [...numberings.values()].flatMap(({ numbered }) => numbered.map((one) => [one.event, one] as const)),
    );
    await storePublications(tx, new Map([...numberings].map(([id, { after }]) => [id, after])));
    await insertOutboxRows(
      tx,
      checked.map((event) => this.rowOf(numberOf.get(event) ?? missing(event))),
    );
    tx.onCommit(this.onCommitted);
  }

  /** The last published sequence of an aggregate, 0 when none. */
  async lastSequence(sql: Sql, aggregateId: string): Promise<number> {
    return await lastSequenceOf(sql, aggregateId);
  }

  private rowOf({ event, sequence, previousSequence }: Numbered<CheckedEvent>): OutboxRow {
    const context = currentContext();
    const envelope: Envelope = {
      eventId: newId('evt'),
      type: event.definition.type,
      occurredAt: event.occurredAt.toISOString(),
      aggregateId: event.aggregateId,
      sequence,
      previousSequence,
      merchantId: event.merchantId,
      ...causesIn(context),
      payload: event.payload,
    };
    const text = JSON.stringify(envelope);
    const bytes = Buffer.byteLength(text);
    if (bytes > this.envelopeBytesMax)
      throw new ContractViolationError(`${event.definition.type} of ${event.aggregateId} has ${bytes} bytes`);
    return {
      topic: event.definition.topic,
      key: event.key,
      headers: eventHeaders(this.service, envelope, context.traceparent),
      envelope: text,
      raw: null,
      aggregateId: event.aggregateId,
      sequence,
    };
  }
}

type CheckedEvent = Omit<OutgoingEvent, 'payload'> & { readonly payload: Readonly<Record<string, unknown>> };

const checkedPayload = (event: OutgoingEvent): Readonly<Record<string, unknown>> => {
  const result = event.definition.payload.safeParse(event.payload);
  if (!result.success)
    throw new ContractViolationError(`${event.definition.type} of ${event.aggregateId}: ${result.error.message}`);
  return result.data as Readonly<Record<string, unknown>>;
};

const missing = (event: CheckedEvent): never => {
  throw new Error(`invariant: no number for an event of ${event.aggregateId}`);
};
