import type { Sql } from '@payflow/postgres';

import type { Headers, RawMessage } from '../message.js';
import { messageOf } from './parked-sql.js';

/** A parked message that this process holds until the lease runs out; the fence tells whether it still does. */
export interface ClaimedMessage {
  readonly parkedId: bigint;
  readonly consumer: string;
  readonly fence: bigint;
  readonly eventId: string | null;
  readonly aggregateId: string | null;
  readonly sequence: number | null;
  /** Tries begun, this one included. */
  readonly attempts: number;
  readonly firstFailedAt: Date | null;
  readonly deadLetterId: string | null;
  readonly raw: RawMessage;
}

interface ClaimedRow {
  readonly parked_id: bigint;
  readonly consumer: string;
  readonly fence: bigint;
  readonly event_id: string | null;
  readonly aggregate_id: string | null;
  readonly sequence: bigint | null;
  readonly attempts: number;
  readonly first_failed_at: Date | null;
  readonly dead_letter_id: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly kafka_offset: bigint;
  readonly key: Buffer | null;
  readonly headers: Headers;
  readonly value: Buffer | null;
}

/** Counts the try before it begins: a message that kills the process runs out of tries like any other. */
export const claimDue = async (
  sql: Sql,
  consumers: readonly string[],
  rowsMax: number,
  leaseMs: number,
): Promise<readonly ClaimedMessage[]> => {
  const rows = await sql.query<ClaimedRow>(
    `UPDATE parked p SET attempts = attempts + 1, fence = fence + 1,
            lease_until = clock_timestamp() + $3 * interval '1 millisecond'
     FROM (SELECT parked_id FROM parked
           WHERE consumer = ANY ($1::text[]) AND due_at <= clock_timestamp()
             AND (lease_until IS NULL OR lease_until < clock_timestamp())
           ORDER BY due_at, parked_id LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
     WHERE p.parked_id = due.parked_id RETURNING p.*`,
    [consumers, rowsMax, leaseMs],
  );
  return rows
    .map((row) => ({
      parkedId: row.parked_id,
      consumer: row.consumer,
      fence: row.fence,
      eventId: row.event_id,
      aggregateId: row.aggregate_id,
      sequence: row.sequence === null ? null : Number(row.sequence),
      attempts: row.attempts,
      firstFailedAt: row.first_failed_at,
      deadLetterId: row.dead_letter_id,
      raw: messageOf(row),
    }))
    .sort((a, b) => (a.parkedId < b.parkedId ? -1 : 1));
};

/** Tries that were counted and not made: the surroundings failed. Those that another has claimed since are left to it. */
export const giveBack = async (sql: Sql, messages: readonly ClaimedMessage[]): Promise<void> => {
  await sql.execute(
    `UPDATE parked p SET attempts = greatest(p.attempts - 1, 0), lease_until = NULL
     FROM unnest($1::bigint[], $2::bigint[]) AS v (parked_id, fence)
     WHERE p.parked_id = v.parked_id AND p.fence = v.fence`,
    [messages.map(({ parkedId }) => parkedId), messages.map(({ fence }) => fence)],
  );
};

/** Whether the message is still this process' own; locks it until the transaction ends. */
export const lockClaimed = async (tx: Sql, { parkedId, fence }: ClaimedMessage): Promise<boolean> =>
  (await tx.query('SELECT 1 FROM parked WHERE parked_id = $1 AND fence = $2 FOR UPDATE', [parkedId, fence])).length > 0;

/** It turned out to be ahead of its gate: it waits there like any early event, its tries forgotten. */
export const letWait = async (
  tx: Sql,
  parkedId: bigint,
  event: { readonly eventId: string; readonly aggregateId: string; readonly sequence: number },
): Promise<void> => {
  await tx.execute(
    `UPDATE parked SET due_at = NULL, lease_until = NULL, attempts = 0, event_id = $2, aggregate_id = $3, sequence = $4
     WHERE parked_id = $1`,
    [parkedId, event.eventId, event.aggregateId, event.sequence],
  );
};

/** @returns whether the message was still the caller's */
export const postpone = async (sql: Sql, message: ClaimedMessage, delayMs: number): Promise<boolean> =>
  (await sql.execute(
    `UPDATE parked SET lease_until = NULL, first_failed_at = coalesce(first_failed_at, clock_timestamp()),
            due_at = clock_timestamp() + $3 * interval '1 millisecond'
     WHERE parked_id = $1 AND fence = $2`,
    [message.parkedId, message.fence, delayMs],
  )) > 0;

/** A parked message failed when a chunk reached it; nobody held it. */
export const failParked = async (tx: Sql, parkedId: bigint, delayMs: number): Promise<void> => {
  await tx.execute(
    `UPDATE parked SET attempts = attempts + 1, first_failed_at = coalesce(first_failed_at, clock_timestamp()),
            due_at = clock_timestamp() + $2 * interval '1 millisecond'
     WHERE parked_id = $1`,
    [parkedId, delayMs],
  );
};
