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
  readonly aggregateId: string;
  readonly body: string;
  readonly fence: bigint;
  /** Tries of this round so far. */
  readonly roundTries: number;
}

export interface ClaimLimits {
  /** Places that nothing is under way in. */
  readonly free: number;
  /** To one endpoint, those under way included. */
  readonly perEndpoint: number;
  readonly leaseMs: number;
  /** How many this instance has under way, by endpoint. */
  readonly inFlight: ReadonlyMap<string, number>;
}

/** Of an endpoint that asked for order, so many are looked at in one claim, however many wait. */
const LOOKED_AT_MAX = 200;
/** Whoever waits for the one before is due when that has ended; and looked at after this time in any case. */
const WAITS_FOR_MAX = '1 hour';

/**
 * Takes up what is due, of each endpoint no more than it has room for, so that none has to wait behind another's backlog:
 * the endpoints that are owed something are found by hopping through the index of what is due, one step each, however much
 * each is owed, and share what there is to give. An endpoint whose breaker is open is left out until its pause is over, and
 * then gets one at a time.
 *
 * Where order was asked for, a delivery waits for those of its aggregate before it: when it is found due it is put off, so
 * that the next claim does not read it again, and `wakeNext` takes it up. The one before is locked for that: whoever writes
 * down that it has ended does so before this and it is found ended, or after this and finds whom to wake.
 *
 * What is due is found in its index because the time is that of the statement: one that moved on within it would have every
 * delivery of the endpoint read, those that are due later too.
 *
 * Places are dealt so that one is left for an endpoint that has nothing under way, while there are more places than
 * endpoints: of what is free those who are owed something get equal parts, and one part stays free; and whoever holds half as
 * many as are free gets no more. However slowly some accept, what others accept quickly goes on through what they leave.
 */
export const claimDue = async (
  sql: Sql,
  { free, perEndpoint, leaseMs, inFlight }: ClaimLimits,
): Promise<readonly DueDelivery[]> =>
  await sql.query<DueDelivery>(
    `WITH RECURSIVE owed AS (
       (SELECT endpoint_id FROM webhook_deliveries WHERE status = 'PENDING' ORDER BY endpoint_id LIMIT 1)
       UNION ALL
       SELECT (SELECT d.endpoint_id FROM webhook_deliveries d
                WHERE d.status = 'PENDING' AND d.endpoint_id > o.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
         FROM owed o WHERE o.endpoint_id IS NOT NULL
     ), room AS MATERIALIZED (
       SELECT e.endpoint_id, e.ordered, least(s.slots, greatest(1, $1::int / (count(*) OVER () + 1))) AS slots
         FROM owed JOIN webhook_endpoints e USING (endpoint_id)
         LEFT JOIN unnest($4::text[], $5::int[]) AS f (endpoint_id, count) USING (endpoint_id)
        CROSS JOIN LATERAL (
          SELECT CASE WHEN e.consecutive_failures >= ${FAILURES_UNTIL_PAUSE} THEN 1 ELSE least($2::int, ($1::int + 1) / 2) END
                 - coalesce(f.count, 0) AS slots) AS s
        WHERE e.status = 'ENABLED' AND (e.paused_until IS NULL OR e.paused_until <= clock_timestamp()) AND s.slots > 0
          AND EXISTS (SELECT FROM webhook_deliveries w
                       WHERE w.endpoint_id = e.endpoint_id AND w.status = 'PENDING' AND w.due_at <= statement_timestamp())
        ORDER BY coalesce(f.count, 0), random() LIMIT $1
     ), looked AS MATERIALIZED (
       SELECT d.*, r.slots,
              r.ordered AND EXISTS (
                SELECT FROM webhook_deliveries b
                 WHERE b.endpoint_id = d.endpoint_id AND b.aggregate_id = d.aggregate_id AND b.sequence < d.sequence
                   AND b.status = 'PENDING') AS waits
         FROM room r
        CROSS JOIN LATERAL (
          SELECT w.delivery_id, w.endpoint_id, w.aggregate_id, w.sequence, w.due_at FROM webhook_deliveries w
           WHERE w.endpoint_id = r.endpoint_id AND w.status = 'PENDING' AND w.due_at <= statement_timestamp()
           ORDER BY w.due_at LIMIT CASE WHEN r.ordered THEN greatest(r.slots, ${LOOKED_AT_MAX}) ELSE r.slots END
             FOR UPDATE SKIP LOCKED) AS d
     ), due AS MATERIALIZED (
       SELECT delivery_id
         FROM (SELECT delivery_id, slots, row_number() OVER (PARTITION BY endpoint_id ORDER BY due_at) AS number
                 FROM looked WHERE NOT waits) AS ready
        WHERE number <= slots LIMIT $1
     ), put_off AS (
       UPDATE webhook_deliveries p SET due_at = clock_timestamp() + interval '${WAITS_FOR_MAX}'
         FROM looked l
        CROSS JOIN LATERAL (
          SELECT FROM webhook_deliveries b
           WHERE b.endpoint_id = l.endpoint_id AND b.aggregate_id = l.aggregate_id AND b.sequence < l.sequence
             AND b.status = 'PENDING'
           ORDER BY b.sequence LIMIT 1 FOR UPDATE SKIP LOCKED) AS before
        WHERE l.waits AND p.delivery_id = l.delivery_id
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
               d.event_id AS "eventId", d.aggregate_id AS "aggregateId", v.body, d.fence, d.round_tries AS "roundTries"`,
    [free, perEndpoint, leaseMs, [...inFlight.keys()], [...inFlight.values()]],
  );

/** Due later though it is in nobody's hands, and has not failed. */
const IS_PUT_OFF = `
  d.due_at > clock_timestamp() AND d.round_tries = 0
  AND (d.in_flight_until IS NULL OR d.in_flight_until <= clock_timestamp())`;

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

/**
 * Of these aggregates, at endpoints that asked for order, what waits and is the first now is due. A statement of its own behind
 * `recordOutcomes`: it has to see what a claim has put off while that was waiting for its locks.
 */
export const wakeNext = async (
  tx: Tx,
  ended: readonly { readonly endpointId: string; readonly aggregateId: string }[],
): Promise<void> => {
  if (ended.length === 0) return;
  await tx.execute(
    `UPDATE webhook_deliveries d SET due_at = clock_timestamp()
       FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS n (endpoint_id, aggregate_id)) AS n
       JOIN webhook_endpoints e ON e.endpoint_id = n.endpoint_id AND e.ordered
      CROSS JOIN LATERAL (
        SELECT delivery_id FROM webhook_deliveries
         WHERE endpoint_id = n.endpoint_id AND aggregate_id = n.aggregate_id AND status = 'PENDING'
         ORDER BY sequence LIMIT 1) AS first
      WHERE d.delivery_id = first.delivery_id AND ${IS_PUT_OFF}`,
    [ended.map(({ endpointId }) => endpointId), ended.map(({ aggregateId }) => aggregateId)],
  );
};

/** Order is asked for no longer: what waits is due. */
export const wakeAll = async (tx: Tx, endpointId: string): Promise<void> => {
  await tx.execute(
    `UPDATE webhook_deliveries d SET due_at = clock_timestamp()
      WHERE d.endpoint_id = $1 AND d.status = 'PENDING' AND ${IS_PUT_OFF}`,
    [endpointId],
  );
};

/** Gives back what may not have been sent: at a stop, for whoever runs next. */
export const giveBack = async (sql: Sql, { id, fence }: Pick<DueDelivery, 'id' | 'fence'>): Promise<void> => {
  await sql.execute(
    `UPDATE webhook_deliveries SET due_at = clock_timestamp(), in_flight_until = NULL
      WHERE delivery_id = $1 AND fence = $2 AND status = 'PENDING'`,
    [id, fence],
  );
};
