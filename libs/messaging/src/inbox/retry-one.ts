import type { Tx } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { bury } from '../dead-letters/bury.js';
import type { ConsumerBinding, Delivery } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import { callHandler } from './call-handler.js';
import { decode } from './decode.js';
import { describeFailure, UnreadableError } from './failure.js';
import { standingAt } from './gate.js';
import { lockGates, moveGates } from './gate-sql.js';
import { claimEvents } from './inbox-sql.js';
import { unpark, wakeParked } from './parked-sql.js';
import { type ClaimedMessage, letWait, lockClaimed } from './retry-sql.js';

const NOTHING_MOVED: ReadonlyMap<string, number> = new Map();

/**
 * Tries a parked message again, in a transaction.
 *
 * @returns where its gate stands when it moved
 * @throws UnreadableError when it cannot be read, else what the handler threw
 */
export const retryMessage = async (
  tx: Tx,
  binding: ConsumerBinding,
  settings: MessagingSettings,
  message: ClaimedMessage,
): Promise<ReadonlyMap<string, number>> => {
  const decoded = decode(message.raw, binding.kind, settings.messageBytesMax);
  if (!decoded.ok) throw new UnreadableError(decoded.poison.reason);
  const { delivery } = decoded;
  const isNew = message.eventId !== null || (await claimOne(tx, binding, delivery));
  if (!isNew) {
    await unpark(tx, [message.parkedId]);
    return NOTHING_MOVED;
  }
  if (binding.ordered) return await retryAtGate(tx, binding, message, delivery);
  if (!(await lockClaimed(tx, message))) return NOTHING_MOVED;
  await callHandler(binding, [delivery], tx);
  crashPoint('retry.after-effect');
  await unpark(tx, [message.parkedId]);
  return NOTHING_MOVED;
};

const retryAtGate = async (
  tx: Tx,
  binding: ConsumerBinding,
  message: ClaimedMessage,
  delivery: Delivery,
): Promise<ReadonlyMap<string, number>> => {
  const { aggregateId, sequence } = delivery.envelope;
  const next = (await lockGates(tx, binding.consumer, [aggregateId])).get(aggregateId) ?? 1;
  if (!(await lockClaimed(tx, message))) return NOTHING_MOVED;
  const standing = standingAt(next, sequence);
  if (standing === 'early') {
    await letWait(tx, message.parkedId, delivery.envelope);
    return NOTHING_MOVED;
  }
  if (standing === 'at_gate') await callHandler(binding, [delivery], tx);
  crashPoint('retry.after-effect');
  await unpark(tx, [message.parkedId]);
  if (standing === 'passed') return NOTHING_MOVED;
  const moved = new Map([[aggregateId, next + 1]]);
  await moveGates(tx, binding.consumer, moved);
  await wakeParked(tx, binding.consumer, aggregateId, next + 1);
  return moved;
};

const claimOne = async (tx: Tx, binding: ConsumerBinding, { envelope }: Delivery): Promise<boolean> =>
  (await claimEvents(tx, binding.consumer, [envelope.eventId])).has(envelope.eventId);

/** Out of tries, or beyond help: from parking to the dead letters. */
export const buryParked = async (
  tx: Tx,
  binding: ConsumerBinding,
  message: ClaimedMessage,
  error: unknown,
): Promise<void> => {
  if (!(await lockClaimed(tx, message))) return;
  await bury(tx, binding.consumer, binding.kind, {
    raw: message.raw,
    eventId: message.eventId,
    claimed: message.eventId !== null,
    aggregateId: message.aggregateId,
    sequence: message.sequence,
    attempts: message.attempts,
    firstFailedAt: message.firstFailedAt,
    deadLetterId: message.deadLetterId,
    ...describeFailure(error),
  });
  await dropParked(tx, message);
};

/** Not `unpark`: the letter is open again, not replayed. */
const dropParked = async (tx: Tx, { parkedId }: ClaimedMessage): Promise<void> => {
  await tx.execute('DELETE FROM parked WHERE parked_id = $1', [parkedId]);
};
