import type { Tx } from '@payflow/postgres';

import { groupBy } from '../group-by.js';
import type { ConsumerBinding, Delivery, RawMessage } from '../message.js';
import type { Decoded } from './decode.js';
import { decode } from './decode.js';
import { type GateDecision, passGate } from './gate.js';
import { lockGates } from './gate-sql.js';
import { type NewParked, type ParkedHead, parkedMessages, parkedOf } from './parked-sql.js';

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

export const freshOf = (decoded: Decoded & { readonly ok: true }): Fresh => ({
  raw: decoded.raw,
  delivery: decoded.delivery,
  sequence: decoded.delivery.envelope.sequence,
});

/** A consumer without order takes what comes. */
export const planUnordered = (fresh: readonly Fresh[]): Plan => ({
  deliver: fresh.map(({ delivery }) => ({ delivery, parkedId: undefined })),
  park: [],
  unpark: [],
  wake: [],
  nextByAggregate: new Map(),
});

/** Locks the gates of the aggregates concerned and decides what may pass them. */
export const planOrdered = async (
  tx: Tx,
  binding: ConsumerBinding,
  fresh: readonly Fresh[],
  deliverMax: number,
): Promise<Plan> => {
  const arrivals = groupBy(fresh, ({ delivery }) => delivery.envelope.aggregateId);
  const next = await lockGates(tx, binding.consumer, [...arrivals.keys()].sort());
  const parked = groupBy(await parkedOf(tx, binding.consumer, [...arrivals.keys()]), ({ aggregateId }) => aggregateId);
  const decisions = [...arrivals].map(
    ([aggregateId, came]) =>
      [aggregateId, passGate(next.get(aggregateId) ?? 1, parked.get(aggregateId) ?? [], came, deliverMax)] as const,
  );
  const messages = await messagesOf(
    tx,
    decisions.map(([, decision]) => decision),
  );
  return {
    deliver: decisions.flatMap(([, { deliver }]) =>
      deliver.map((one) =>
        one.from === 'arrival'
          ? { delivery: one.item.delivery, parkedId: undefined }
          : { delivery: deliveryOf(messages.get(one.item.parkedId), binding), parkedId: one.item.parkedId },
      ),
    ),
    park: decisions.flatMap(([, decision]) => decision.park.map((one) => early(one, one.sequence === decision.next))),
    unpark: decisions.flatMap(([, { deliver, drop }]) => [
      ...drop.map(({ parkedId }) => parkedId),
      ...deliver.flatMap((one) => (one.from === 'parked' ? [one.item.parkedId] : [])),
    ]),
    wake: decisions.flatMap(([aggregateId, { wake }]) =>
      wake === undefined ? [] : [{ aggregateId, sequence: wake.sequence }],
    ),
    nextByAggregate: new Map(
      decisions.flatMap(([id, decision]) => (decision.deliver.length > 0 ? [[id, decision.next] as const] : [])),
    ),
  };
};

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

const messagesOf = async (
  tx: Tx,
  decisions: readonly GateDecision<Fresh, ParkedHead>[],
): Promise<ReadonlyMap<bigint, RawMessage>> => {
  const ids = decisions.flatMap(({ deliver }) =>
    deliver.flatMap((one) => (one.from === 'parked' ? [one.item.parkedId] : [])),
  );
  return ids.length === 0 ? new Map() : await parkedMessages(tx, ids);
};

/** What waits at a gate was decoded before it was parked. */
const deliveryOf = (raw: RawMessage | undefined, binding: ConsumerBinding): Delivery => {
  const decoded = raw === undefined ? undefined : decode(raw, binding.kind, Number.POSITIVE_INFINITY);
  if (decoded?.ok !== true) throw new Error('invariant: a parked event cannot be read');
  return decoded.delivery;
};
