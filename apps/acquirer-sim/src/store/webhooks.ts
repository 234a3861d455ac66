import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';

/** A webhook that is to be sent. */
export interface NewWebhook {
  readonly webhookId: string;
  readonly acquirer: AcquirerName;
  readonly reference: string;
  readonly paymentId: string;
  readonly body: string;
  readonly createdAt: Date;
  readonly copies: number;
}

/**
 * Puts it into the outbox. With `holdUntil` it waits for a later one of its payment to overtake it, unless an earlier one
 * waits already: then it is the one that overtakes.
 */
export const insertWebhook = async (tx: Tx, webhook: NewWebhook, holdUntil: Date | null): Promise<void> => {
  await tx.execute(
    `INSERT INTO webhooks (webhook_id, acquirer, reference, payment_id, body, created_at, copies_left, held, send_at,
       replay, timestamp_offset_seconds, bad_signature)
     SELECT $1, $2::text, $3, $4::text, $5, $6::timestamptz, $7::int, w.held,
       CASE WHEN w.held THEN $8::timestamptz ELSE $6::timestamptz END, false, 0, false
     FROM (SELECT $8::timestamptz IS NOT NULL AND NOT EXISTS (
             SELECT FROM webhooks e
              WHERE e.acquirer = $2::text AND e.payment_id = $4::text AND e.held AND e.ended_at IS NULL) AS held) w`,
    [
      webhook.webhookId,
      webhook.acquirer,
      webhook.reference,
      webhook.paymentId,
      webhook.body,
      webhook.createdAt,
      webhook.copies,
      holdUntil,
    ],
  );
};

export interface DueWebhook {
  readonly position: bigint;
  readonly webhookId: string;
  readonly acquirer: AcquirerName;
  readonly reference: string;
  readonly paymentId: string;
  readonly body: string;
  readonly copiesLeft: number;
  readonly timestampOffsetSeconds: number;
  readonly badSignature: boolean;
  /** With this one. */
  readonly attempts: number;
}

/** Leases what is due: who dies with it leaves it to be sent again when the lease is over. In the order of writing. */
export const claimWebhooks = async (sql: Sql, at: Date, leaseUntil: Date, limit: number): Promise<DueWebhook[]> => {
  const claimed = await sql.query<DueWebhook>(
    `UPDATE webhooks SET send_at = $2, attempts = attempts + 1
     WHERE position IN (SELECT position FROM webhooks WHERE ended_at IS NULL AND send_at <= $1
                        ORDER BY send_at, position LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING position, webhook_id AS "webhookId", acquirer, reference, payment_id AS "paymentId", body,
       copies_left AS "copiesLeft", timestamp_offset_seconds AS "timestampOffsetSeconds",
       bad_signature AS "badSignature", attempts`,
    [at, leaseUntil, limit],
  );
  return claimed.sort((a, b) => (a.position < b.position ? -1 : 1));
};

/** One copy was accepted. What was held back for it goes now. */
export const markAccepted = async (sql: Sql, webhook: DueWebhook, status: number, at: Date): Promise<void> => {
  await sql.execute(
    `WITH released AS (
       UPDATE webhooks SET send_at = $4::timestamptz
        WHERE acquirer = $5 AND payment_id = $6 AND position < $1 AND held AND ended_at IS NULL AND attempts = 0)
     UPDATE webhooks SET copies_left = $2::int, last_status = $3, send_at = $4::timestamptz,
       ended_at = CASE WHEN $2::int = 0 THEN $4::timestamptz END, ended_as = CASE WHEN $2::int = 0 THEN 'delivered' END
     WHERE position = $1`,
    [webhook.position, webhook.copiesLeft - 1, status, at, webhook.acquirer, webhook.paymentId],
  );
};

/** It was not accepted: again then, or never. */
export const markFailed = async (
  sql: Sql,
  position: bigint,
  status: number | null,
  sendAgainAt: Date | null,
  at: Date,
): Promise<void> => {
  await sql.execute(
    `UPDATE webhooks SET last_status = $2, send_at = coalesce($3::timestamptz, send_at),
       ended_at = CASE WHEN $3::timestamptz IS NULL THEN $4::timestamptz END,
       ended_as = CASE WHEN $3::timestamptz IS NULL THEN 'given_up' END
     WHERE position = $1`,
    [position, status, sendAgainAt, at],
  );
};

export interface Replay {
  readonly acquirer: AcquirerName;
  /** Null: of all operations. */
  readonly reference: string | null;
  readonly times: number;
  readonly shuffle: boolean;
  readonly timestampOffsetSeconds: number;
  readonly badSignature: boolean;
  readonly at: Date;
}

const REPLAYED_MAX = 10_000;

/** Puts webhooks of the past into the outbox again, word for word, with their ids. @returns how many */
export const replayWebhooks = async (sql: Sql, replay: Replay): Promise<number> =>
  await sql.execute(
    `INSERT INTO webhooks (webhook_id, acquirer, reference, payment_id, body, created_at, copies_left, held, send_at,
       replay, timestamp_offset_seconds, bad_signature)
     SELECT w.webhook_id, w.acquirer, w.reference, w.payment_id, w.body, w.created_at, 1, false, $7::timestamptz, true, $5::int,
       $6::boolean
     FROM webhooks w CROSS JOIN generate_series(1, $3::int) n
     WHERE w.acquirer = $1 AND ($2::text IS NULL OR w.reference = $2) AND NOT w.replay
     ORDER BY CASE WHEN $4::boolean THEN random() END, n, w.position
     LIMIT ${REPLAYED_MAX}`,
    [
      replay.acquirer,
      replay.reference,
      replay.times,
      replay.shuffle,
      replay.timestampOffsetSeconds,
      replay.badSignature,
      replay.at,
    ],
  );

/** When the next one is to be sent. */
export const nextSendAt = async (sql: Sql): Promise<Date | null> => {
  const [row] = await sql.query<{ at: Date | null }>('SELECT min(send_at) AS at FROM webhooks WHERE ended_at IS NULL');
  return row?.at ?? null;
};
