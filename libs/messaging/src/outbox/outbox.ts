import { newId } from '@payflow/kernel';
import type { Envelope, EventDefinition } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';
import { type Context, currentContext } from '@payflow/service';

import { groupBy } from '../group-by.js';
import { causesIn, eventHeaders } from './headers.js';
import { eventsAfter } from '../gaps/events-sql.js';
import { NO_PUBLICATIONS, type Numbered, numberEvents, type Publications } from './number-events.js';
import {
  beginPublications,
  holdPublications,
  insertOutboxRows,
  lastSequenceOf,
  lockPublications,
  type OutboxRow,
  storePublications,
} from './outbox-sql.js';

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
  /** Of the request it came from, where one transaction ends the work of many. Else: the context at hand. */
  readonly context?: Context;
}

/** A bug: a service tried to publish what its contract does not allow. Nothing is committed. */
export class ContractViolationError extends Error {
  override readonly name = 'ContractViolationError';
}

/**
 * How far each of some aggregates has published, as far as nobody else publishes of them meanwhile: their counters are locked
 * until the transaction ends; or whoever knows them writes the aggregates' next version over the one that he knew with them.
 */
export type HeldPublications = ReadonlyMap<string, Publications>;

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
   * @param held counters that `hold` has locked, or that are known together with the aggregates: reading them is saved
   * @returns the counters afterwards
   * @throws ContractViolationError when a payload does not fit its definition
   */
  async publish(
    tx: Tx,
    events: readonly OutgoingEvent[],
    held: HeldPublications = NOTHING_HELD,
  ): Promise<HeldPublications> {
    if (events.length === 0) return held;
    const checked = checkedEvents(events);
    const aggregateIds = [...new Set(events.map(({ aggregateId }) => aggregateId))];
    const before = aggregateIds.every((id) => held.has(id)) ? held : await lockPublications(tx, aggregateIds);
    return await this.store(tx, checked, before, storePublications);
  }

  /**
   * The same for aggregates that begin in this transaction: nothing was published of them, so there is no counter to read
   * and nothing to wait for. Should one have begun elsewhere at the same moment, the second transaction fails.
   *
   * @returns the counters afterwards
   * @throws ContractViolationError when a payload does not fit its definition
   */
  async publishFirst(tx: Tx, events: readonly OutgoingEvent[]): Promise<HeldPublications> {
    if (events.length === 0) return NOTHING_HELD;
    return await this.store(tx, checkedEvents(events), NOTHING_HELD, beginPublications);
  }

  /**
   * Locks the counters of aggregates that will publish in this transaction, for callers who hold the aggregates themselves
   * already: it then goes out with their first reads.
   */
  async hold(tx: Tx, aggregateIds: readonly string[]): Promise<HeldPublications> {
    return await holdPublications(tx, aggregateIds);
  }

  /** The last published sequence of an aggregate, 0 when none. */
  async lastSequence(sql: Sql, aggregateId: string): Promise<number> {
    return await lastSequenceOf(sql, aggregateId);
  }

  /** What was published of an aggregate and is still kept, in order: sent to Kafka or about to be. */
  async publishedOf(sql: Sql, aggregateId: string, eventsMax: number): Promise<readonly Envelope[]> {
    const events = await eventsAfter(sql, aggregateId, 0, eventsMax);
    return events.map(({ envelope }) => JSON.parse(envelope) as Envelope);
  }

  private async store(
    tx: Tx,
    checked: readonly CheckedEvent[],
    before: HeldPublications,
    storeCounters: (tx: Tx, after: HeldPublications) => Promise<void>,
  ): Promise<HeldPublications> {
    const numberings = new Map(
      [...groupBy(checked, ({ aggregateId }) => aggregateId)].map(([id, own]) => [
        id,
        numberEvents(before.get(id) ?? NO_PUBLICATIONS, own, ({ definition }) => definition.topic),
      ]),
    );
    const numberOf = new Map(
      [...numberings.values()].flatMap(({ numbered }) => numbered.map((one) => [one.event, one] as const)),
    );
    const rows = checked.map((event) => this.rowOf(numberOf.get(event) ?? missing(event)));
    const after = new Map([...numberings].map(([id, numbering]) => [id, numbering.after]));
    await Promise.all([storeCounters(tx, after), insertOutboxRows(tx, rows)]);
    tx.onCommit(this.onCommitted);
    return after;
  }

  private rowOf({ event, sequence, previousSequence }: Numbered<CheckedEvent>): OutboxRow {
    const context = event.context ?? currentContext();
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

const NOTHING_HELD: HeldPublications = new Map();

type CheckedEvent = Omit<OutgoingEvent, 'payload'> & { readonly payload: Readonly<Record<string, unknown>> };

const checkedEvents = (events: readonly OutgoingEvent[]): readonly CheckedEvent[] =>
  events.map((event) => ({ ...event, payload: checkedPayload(event) }));

const checkedPayload = (event: OutgoingEvent): Readonly<Record<string, unknown>> => {
  const result = event.definition.payload.safeParse(event.payload);
  if (!result.success)
    throw new ContractViolationError(`${event.definition.type} of ${event.aggregateId}: ${result.error.message}`);
  return result.data as Readonly<Record<string, unknown>>;
};

const missing = (event: CheckedEvent): never => {
  throw new Error(`invariant: no number for an event of ${event.aggregateId}`);
};
