import type { Delivery, RawMessage } from '../message.js';
import { groupBy } from '../group-by.js';
import { type GateDecision, passGate } from './gate.js';
import type { NewParked, ParkedHead } from './parked-sql.js';

/** What a transaction does with the messages it has taken, as a pure decision: `plan.ts` reads what it rests on. */

/** An event that is new to the consumer. */
export interface Fresh {
  readonly raw: RawMessage;
  readonly delivery: Delivery;
  readonly sequence: number;
}

/** What one transaction does with its messages. */
export interface Plan {
  readonly deliver: readonly { readonly delivery: Delivery; readonly parkedId: bigint | undefined }[];
  readonly park: readonly NewParked[];
  /** Parked messages that are done with: delivered now, or passed by the gate. */
  readonly unpark: readonly bigint[];
  readonly wake: readonly { readonly aggregateId: string; readonly sequence: number }[];
  readonly nextByAggregate: ReadonlyMap<string, number>;
}

/** A consumer without order takes what comes. */
export const planUnordered = (fresh: readonly Fresh[]): Plan => ({
  deliver: fresh.map(({ delivery }) => ({ delivery, parkedId: undefined })),
  park: [],
  unpark: [],
  wake: [],
  nextByAggregate: new Map(),
});

/** What the gates of the aggregates concerned let pass. `next` and `parked` were read under the gates' locks. */
export const decideAtGates = (
  fresh: readonly Fresh[],
  next: ReadonlyMap<string, number>,
  parked: readonly ParkedHead[],
  deliverMax: number,
): readonly AggregateDecision[] => {
  const parkedByAggregate = groupBy(parked, ({ aggregateId }) => aggregateId);
  return [...groupBy(fresh, ({ delivery }) => delivery.envelope.aggregateId)].map(([aggregateId, came]) => ({
    aggregateId,
    decision: passGate(next.get(aggregateId) ?? 1, parkedByAggregate.get(aggregateId) ?? [], came, deliverMax),
  }));
};

export interface AggregateDecision {
  readonly aggregateId: string;
  readonly decision: GateDecision<Fresh, ParkedHead>;
}

/** The parked messages that are delivered now, whose bytes the plan needs. */
export const parkedIdsToDeliver = (decisions: readonly AggregateDecision[]): readonly bigint[] =>
  decisions.flatMap(({ decision: { deliver } }) =>
    deliver.flatMap((one) => (one.from === 'parked' ? [one.item.parkedId] : [])),
  );

export const planOf = (decisions: readonly AggregateDecision[], deliveryOf: (parkedId: bigint) => Delivery): Plan => ({
  deliver: decisions.flatMap(({ decision: { deliver } }) =>
    deliver.map((one) =>
      one.from === 'arrival'
        ? { delivery: one.item.delivery, parkedId: undefined }
        : { delivery: deliveryOf(one.item.parkedId), parkedId: one.item.parkedId },
    ),
  ),
  park: decisions.flatMap(({ decision }) => decision.park.map((one) => early(one, one.sequence === decision.next))),
  unpark: decisions.flatMap(({ decision: { deliver, drop } }) => [
    ...drop.map(({ parkedId }) => parkedId),
    ...deliver.flatMap((one) => (one.from === 'parked' ? [one.item.parkedId] : [])),
  ]),
  wake: decisions.flatMap(({ aggregateId, decision: { wake } }) =>
    wake === undefined ? [] : [{ aggregateId, sequence: wake.sequence }],
  ),
  nextByAggregate: new Map(
    decisions.flatMap(({ aggregateId, decision }) =>
      decision.deliver.length > 0 ? [[aggregateId, decision.next] as const] : [],
    ),
  ),
});

const early = ({ raw, delivery: { envelope } }: Fresh, isAtGate: boolean): NewParked => ({
  raw,
  eventId: envelope.eventId,
  aggregateId: envelope.aggregateId,
  sequence: envelope.sequence,
  attempts: 0,
  failed: false,
  dueInMs: isAtGate ? 0 : null,
  deadLetterId: null,
});
