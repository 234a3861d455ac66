import type { Tx } from '@payflow/postgres';

import type { ConsumerBinding, Delivery, RawMessage } from '../message.js';
import type { Decoded } from './decode.js';
import { decode } from './decode.js';
import { decideAtGates, type Fresh, parkedIdsToDeliver, type Plan, planOf } from './gate-plan.js';
import { lockGates } from './gate-sql.js';
import { parkedMessages, parkedOf } from './parked-sql.js';

export const freshOf = (decoded: Decoded & { readonly ok: true }): Fresh => ({
  raw: decoded.raw,
  delivery: decoded.delivery,
  sequence: decoded.delivery.envelope.sequence,
});

/** Locks the gates of the aggregates concerned and decides what may pass them. */
export const planOrdered = async (
  tx: Tx,
  binding: ConsumerBinding,
  fresh: readonly Fresh[],
  deliverMax: number,
): Promise<Plan> => {
  const aggregateIds = [...new Set(fresh.map(({ delivery }) => delivery.envelope.aggregateId))];
  // In one round trip: what is parked is read behind the locks.
  const [next, parked] = await Promise.all([
    lockGates(tx, binding.consumer, [...aggregateIds].sort()),
    parkedOf(tx, binding.consumer, aggregateIds),
  ]);
  const decisions = decideAtGates(fresh, next, parked, deliverMax);
  const ids = parkedIdsToDeliver(decisions);
  const messages = ids.length === 0 ? new Map<bigint, RawMessage>() : await parkedMessages(tx, ids);
  return planOf(decisions, (parkedId) => deliveryOf(messages.get(parkedId), binding));
};

/** What waits at a gate was decoded before it was parked. */
const deliveryOf = (raw: RawMessage | undefined, binding: ConsumerBinding): Delivery => {
  const decoded = raw === undefined ? undefined : decode(raw, binding.kind, Number.POSITIVE_INFINITY);
  if (decoded?.ok !== true) throw new Error('invariant: a parked event cannot be read');
  return decoded.delivery;
};
