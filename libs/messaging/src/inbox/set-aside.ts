import type { Tx } from '@payflow/postgres';

import { bury } from '../dead-letters/bury.js';
import { type ConsumerBinding, PoisonError, type RawMessage } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import { retryDelayMs } from './backoff.js';
import { causeOf, describeFailure, GuiltyError } from './failure.js';
import { standingAt } from './gate.js';
import type { Fresh } from './gate-plan.js';
import { lockGates } from './gate-sql.js';
import { claimEvents } from './inbox-sql.js';
import { park, parkedMessages, unpark } from './parked-sql.js';
import { failParked } from './retry-sql.js';

/**
 * Puts a message away that could not be applied, so that its partition moves on: to be tried again, to wait for the one
 * before it that failed, or among the dead letters.
 */
export const setAside = async (
  tx: Tx,
  binding: ConsumerBinding,
  settings: MessagingSettings,
  fresh: Fresh,
  error: unknown,
): Promise<void> => {
  const { envelope } = fresh.delivery;
  const claimed = await claimEvents(tx, binding.consumer, [envelope.eventId]);
  if (!claimed.has(envelope.eventId)) return;
  if (!binding.ordered) {
    await failArrival(tx, binding, settings, fresh, error);
    return;
  }
  const next = (await lockGates(tx, binding.consumer, [envelope.aggregateId])).get(envelope.aggregateId) ?? 1;
  const standing = standingAt(next, fresh.sequence);
  if (standing === 'passed') return;
  if (error instanceof GuiltyError && error.parkedId !== undefined)
    await failHead(tx, binding, settings, error, error.parkedId);
  if (standing === 'early') await park(tx, binding.consumer, [asParked(fresh, 0, null)]);
  else await failArrival(tx, binding, settings, fresh, error);
};

const failArrival = async (
  tx: Tx,
  binding: ConsumerBinding,
  settings: MessagingSettings,
  fresh: Fresh,
  error: unknown,
): Promise<void> => {
  if (isHopeless(error, 1, settings)) await buryEvent(tx, binding, fresh.delivery, fresh.raw, 1, error);
  else await park(tx, binding.consumer, [asParked(fresh, 1, retryDelayMs(1, settings, Math.random()))]);
};

/** A parked event was at the gate and failed for the first time. */
const failHead = async (
  tx: Tx,
  binding: ConsumerBinding,
  settings: MessagingSettings,
  error: GuiltyError,
  parkedId: bigint,
): Promise<void> => {
  if (!isHopeless(error, 1, settings)) {
    await failParked(tx, parkedId, retryDelayMs(1, settings, Math.random()));
    return;
  }
  const raw = (await parkedMessages(tx, [parkedId])).get(parkedId);
  if (raw === undefined) return;
  await unpark(tx, [parkedId]);
  await buryEvent(tx, binding, error.delivery, raw, 1, error);
};

/** Whether another try is of no use. */
export const isHopeless = (error: unknown, attempts: number, { retryTriesMax }: MessagingSettings): boolean =>
  causeOf(error) instanceof PoisonError || attempts >= retryTriesMax;

const buryEvent = async (
  tx: Tx,
  binding: ConsumerBinding,
  { envelope }: Fresh['delivery'],
  raw: RawMessage,
  attempts: number,
  error: unknown,
): Promise<void> => {
  await bury(tx, binding.consumer, binding.kind, {
    raw,
    eventId: envelope.eventId,
    claimed: true,
    aggregateId: envelope.aggregateId,
    sequence: envelope.sequence,
    attempts,
    firstFailedAt: null,
    deadLetterId: null,
    ...describeFailure(error),
  });
};

const asParked = ({ raw, delivery: { envelope } }: Fresh, attempts: number, dueInMs: number | null) => ({
  raw,
  eventId: envelope.eventId,
  aggregateId: envelope.aggregateId,
  sequence: envelope.sequence,
  attempts,
  failed: attempts > 0,
  dueInMs,
  deadLetterId: null,
});
