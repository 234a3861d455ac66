import type { WebhookTryError } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import { FAILURES_UNTIL_PAUSE } from '../domain/endpoint-health.js';

/** A delivery in the hands of one instance, until its lease ends and another takes it up with a higher fence. */
export interface DueDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly merchantId: string;
  readonly url: string;
  readonly eventId: string;
  readonly body: string;
  readonly fence: bigint;
  /** Tries of this round so far. */
  readonly roundTries: number;
}

export interface ClaimLimits {
  /** In all. */
  readonly limit: number;
  /** To one endpoint, those under way included. */
  readonly perEndpoint: number;
  readonly leaseMs: number;
  /** How many this instance has under way, by endpoint. */
  readonly inFlight: ReadonlyMap<string, number>;
}

/**
 * Takes up what is due, of each endpoint no more than it has room for, so that none has to wait behind another's backlog:
 * the endpoints that are owed something are found by hopping through the index of what is due, one step each, however much
 * each is owed, and share what there is to give. An endpoint whose breaker is open is left out until its pause is over, and
 * then gets one at a time. Where order was asked for, a delivery waits for those of its aggregate before it.
 */
export const claimDue = async (
  sql: Sql,
  { limit, perEndpoint, leaseMs, inFlight }: ClaimLimits,
): Promise<readonly DueDelivery[]> =>
  await sql.query<DueDelivery>(
    `WITH RECURSIVE owed AS (
       (SELECT endpoint_id FROM webhook_deliveries WHERE status = 'PENDING' ORDER BY endpoint_id LIMIT 1)
       UNION ALL
       SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
                WHERE d.status = 'PENDING' AND d.endpoint_id > o.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
         FROM owed o WHERE o.endpoint_id IS NOT NULL
     ), room AS MATERIALIZED (
       SELECT e.endpoint_id, e.ordered, least(s.slots, greatest(1, $1::int / count(*) OVER ())) AS slots
         FROM owed JOIN webhook_endpoints e USING (endpoint_id)
         LEFT JOIN unnest($4::text[], $5::int[]) AS f (endpoint_id, count) USING (endpoint_id)
        CROSS JOIN LATERAL (
          SELECT CASE WHEN e.consecutive_failures >= ${FAILURES_UNTIL_PAUSE} THEN 1 ELSE $2::int END
                 - coalesce(f.count, 0) AS slots) AS s
        WHERE e.status = 'ENABLED' AND (e.paused_until IS NULL OR e.paused_until <= clock_timestamp()) AND s.slots > 0
          AND EXISTS (SELECT FROM webhook_deliveries w
                       WHERE w.endpoint_id = e.endpoint_id AND w.status = 'PENDING' AND w.due_at <= clock_timestamp())
        ORDER BY random()
     ), due AS MATERIALIZED (
       SELECT d.delivery_id FROM room r
        CROSS JOIN LATERAL (
          SELECT w.delivery_id FROM webhook_deliveries w
           WHERE w.endpoint_id = r.endpoint_id AND w.status = 'PENDING' AND w.due_at <= clock_timestamp()
             AND NOT (r.ordered AND EXISTS (
                   SELECT FROM webhook_deliveries b
                    WHERE b.endpoint_id = w.endpoint_id AND b.aggregate_id = w.aggregate_id AND b.sequence < w.sequence
                      AND b.status = 'PENDING'))
           ORDER BY w.due_at LIMIT r.slots FOR UPDATE SKIP LOCKED) AS d
        LIMIT $1
     )
     UPDATE webhook_deliveries d
        SET due_at = clock_timestamp() + make_interval(secs => $3::double precision / 1000),
            in_flight_until = clock_timestamp() + make_interval(secs => $3::double precision / 1000),
            fence = d.fence + 1
       FROM due JOIN webhook_deliveries w USING (delivery_id)
       JOIN webhook_endpoints e ON e.endpoint_id = w.endpoint_id
       JOIN events v ON v.event_id = w.event_id
      WHERE d.delivery_id = due.delivery_id
     RETURNING d.delivery_id AS id, d.endpoint_id AS "endpointId", e.merchant_id AS "merchantId", e.url,
               d.event_id AS "eventId", v.body, d.fence, d.round_tries AS "roundTries"`,
    [limit, perEndpoint, leaseMs, [...inFlight.keys()], [...inFlight.values()]],
  );

/** What became of a try. */
export interface TryOutcome {
  readonly id: string;
  readonly endpointId: string;
  readonly fence: bigint;
  readonly at: Date;
  readonly statusCode: number | null;
  readonly error: WebhookTryError | null;
  readonly durationMs: number;
  readonly status: 'PENDING' | 'DELIVERED' | 'FAILED';
  /** When it is tried again; null when it has ended. */
  readonly dueAt: Date | null;
}

/**
 * Writes down what became of tries, for those that are still in the hands of whoever made them.
 *
 * @returns how often each of those has been tried now
 */
export const recordOutcomes = async (tx: Tx, outcomes: readonly TryOutcome[]): Promise<ReadonlyMap<string, number>> => {
  const rows = await tx.query<{ id: string; tries: number }>(
    `WITH recorded AS (
       UPDATE webhook_deliveries d
          SET status = n.status, due_at = coalesce(n.due_at, d.due_at), in_flight_until = NULL, tries = d.tries + 1,
              round_tries = d.round_tries + 1, ended_at = CASE WHEN n.status = 'PENDING' THEN NULL ELSE n.at END
         FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::int[], $5::text[], $6::int[], $7::text[],
                     $8::timestamptz[])
           AS n (delivery_id, fence, at, status_code, error, duration_ms, status, due_at)
        WHERE d.delivery_id = n.delivery_id AND d.fence = n.fence AND d.status = 'PENDING'
       RETURNING d.delivery_id, d.endpoint_id, d.tries, n.at, n.status_code, n.error, n.duration_ms
     ), noted AS (
       INSERT INTO webhook_tries (delivery_id, number, endpoint_id, at, status_code, error, duration_ms)
       SELECT delivery_id, tries, endpoint_id, at, status_code, error, duration_ms FROM recorded)
     SELECT delivery_id AS id, tries FROM recorded`,
    [
      outcomes.map(({ id }) => id),
      outcomes.map(({ fence }) => fence),
      outcomes.map(({ at }) => at),
      outcomes.map(({ statusCode }) => statusCode),
      outcomes.map(({ error }) => error),
      outcomes.map(({ durationMs }) => durationMs),
      outcomes.map(({ status }) => status),
      outcomes.map(({ dueAt }) => dueAt),
    ],
  );
  return new Map(rows.map(({ id, tries }) => [id, tries]));
};

/** Gives back what may not have been sent: at a stop, for whoever runs next. */
export const giveBack = async (sql: Sql, { id, fence }: Pick<DueDelivery, 'id' | 'fence'>): Promise<void> => {
  await sql.execute(
    `UPDATE webhook_deliveries SET due_at = clock_timestamp(), in_flight_until = NULL
      WHERE delivery_id = $1 AND fence = $2 AND status = 'PENDING'`,
    [id, fence],
  );
};
