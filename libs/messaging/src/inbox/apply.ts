import type { Tx } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { bury } from '../dead-letters/bury.js';
import type { ConsumerBinding } from '../message.js';
import { callHandler } from './call-handler.js';
import type { Decoded, Poison } from './decode.js';
import { BatchFailedError, GuiltyError, isDatabaseFailure } from './failure.js';
import { type Fresh, type Plan, planUnordered } from './gate-plan.js';
import { moveGates } from './gate-sql.js';
import { claimEvents } from './inbox-sql.js';
import { park, unpark, wakeParked } from './parked-sql.js';
import { freshOf, planOrdered } from './plan.js';

/**
 * Applies messages within a transaction: inbox, gates, effects, parking, dead letters. Locks are taken in this order,
 * and sorted within each, so that transactions wait for each other but never in a circle.
 *
 * @param deliverMax events of an aggregate that may reach the handler; 1 finds a guilty one
 * @returns where each gate stands now that moved
 * @throws GuiltyError when the handler failed with a single event, else whatever it threw
 */
export const applyMessages = async (
  tx: Tx,
  binding: ConsumerBinding,
  messages: readonly Decoded[],
  deliverMax: number,
): Promise<ReadonlyMap<string, number>> => {
  const fresh = await claimFresh(tx, binding, messages);
  crashPoint('consumer.after-inbox-insert');
  const plan = await planFor(tx, binding, fresh, deliverMax);
  await deliver(tx, binding, plan);
  crashPoint('consumer.after-effect');
  // None of them waits for another: they go out together, in this order, and share a round trip.
  await Promise.all([
    moveGates(tx, binding.consumer, plan.nextByAggregate),
    plan.park.length > 0 ? park(tx, binding.consumer, plan.park) : undefined,
    unpark(tx, plan.unpark),
  ]);
  for (const { aggregateId, sequence } of plan.wake) await wakeParked(tx, binding.consumer, aggregateId, sequence);
  for (const message of messages) if (!message.ok) await buryPoison(tx, binding, message.poison);
  return plan.nextByAggregate;
};

/** The events that the consumer did not have yet, each once, in the order in which they came. */
const claimFresh = async (
  tx: Tx,
  binding: ConsumerBinding,
  messages: readonly Decoded[],
): Promise<readonly Fresh[]> => {
  const byEventId = new Map<string, Fresh>();
  for (const message of messages) {
    if (!message.ok) continue;
    const { eventId } = message.delivery.envelope;
    if (!byEventId.has(eventId)) byEventId.set(eventId, freshOf(message));
  }
  if (byEventId.size === 0) return [];
  const claimed = await claimEvents(tx, binding.consumer, [...byEventId.keys()]);
  return [...byEventId].flatMap(([eventId, fresh]) => (claimed.has(eventId) ? [fresh] : []));
};

const planFor = async (tx: Tx, binding: ConsumerBinding, fresh: readonly Fresh[], deliverMax: number): Promise<Plan> =>
  binding.ordered && fresh.length > 0 ? await planOrdered(tx, binding, fresh, deliverMax) : planUnordered(fresh);

const deliver = async (tx: Tx, binding: ConsumerBinding, plan: Plan): Promise<void> => {
  const [only, ...others] = plan.deliver;
  if (only === undefined) return;
  try {
    await callHandler(
      binding,
      plan.deliver.map(({ delivery }) => delivery),
      tx,
    );
  } catch (error) {
    if (others.length === 0) throw new GuiltyError(only.delivery, only.parkedId, error);
    if (isDatabaseFailure(error)) throw error;
    throw new BatchFailedError('the handler failed with one of several events', { cause: error });
  }
};

/** Not claimed in the inbox: the ids are what a broken message says of itself, and the true event may be yet to come. */
const buryPoison = async (tx: Tx, binding: ConsumerBinding, poison: Poison): Promise<void> => {
  const { raw, reason, eventId, aggregateId, sequence } = poison;
  await bury(tx, binding.consumer, binding.kind, {
    raw,
    eventId,
    claimed: false,
    aggregateId,
    sequence,
    attempts: 1,
    firstFailedAt: null,
    reason,
    errorLine: reason,
    deadLetterId: null,
  });
};
