import type { WebhookDeliveryStatus, WebhookTryError } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

export interface NewDelivery {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateId: string;
  readonly sequence: number;
}

/** Owes these from now on; one that is there already stays as it is. */
export const insertDeliveries = async (tx: Tx, deliveries: readonly NewDelivery[]): Promise<void> => {
  if (deliveries.length === 0) return;
  await tx.execute(
    `INSERT INTO webhook_deliveries (delivery_id, endpoint_id, event_id, event_type, aggregate_id, sequence, due_at)
     SELECT n.*, clock_timestamp()
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) AS n
     ON CONFLICT (endpoint_id, event_id) DO NOTHING`,
    [
      deliveries.map(({ deliveryId }) => deliveryId),
      deliveries.map(({ endpointId }) => endpointId),
      deliveries.map(({ eventId }) => eventId),
      deliveries.map(({ eventType }) => eventType),
      deliveries.map(({ aggregateId }) => aggregateId),
      deliveries.map(({ sequence }) => sequence),
    ],
  );
};

export interface DeliveryRow {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateId: string;
  readonly status: WebhookDeliveryStatus;
  readonly dueAt: Date;
  readonly inFlightUntil: Date | null;
  readonly tries: number;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

const COLUMNS = `
  delivery_id AS id, endpoint_id AS "endpointId", event_id AS "eventId", event_type AS "eventType",
  aggregate_id AS "aggregateId", status, due_at AS "dueAt", in_flight_until AS "inFlightUntil", tries,
  created_at AS "createdAt", ended_at AS "endedAt"`;

export const findDelivery = async (sql: Sql, endpointId: string, id: string): Promise<DeliveryRow | undefined> => {
  const [row] = await sql.query<DeliveryRow>(
    `SELECT ${COLUMNS} FROM webhook_deliveries WHERE delivery_id = $1 AND endpoint_id = $2`,
    [id, endpointId],
  );
  return row;
};

export interface DeliveryFilter {
  readonly endpointId: string;
  readonly status: WebhookDeliveryStatus | undefined;
  readonly eventType: string | undefined;
}

/** Newest first, behind the one that ended the page before. */
export const listDeliveries = async (
  sql: Sql,
  { endpointId, status, eventType }: DeliveryFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly DeliveryRow[]> =>
  await sql.query<DeliveryRow>(
    `SELECT ${COLUMNS} FROM webhook_deliveries
      WHERE endpoint_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR event_type = $3)
        AND ($4::text IS NULL OR delivery_id < $4)
      ORDER BY delivery_id DESC LIMIT $5`,
    [endpointId, status ?? null, eventType ?? null, before ?? null, limit],
  );

export interface TryRow {
  readonly deliveryId: string;
  readonly number: number;
  readonly at: Date;
  readonly statusCode: number | null;
  readonly error: WebhookTryError | null;
  readonly durationMs: number;
}

const TRIES_SHOWN_MAX = 20;

/** The latest tries of each, newest first. */
export const triesOf = async (sql: Sql, deliveryIds: readonly string[]): Promise<readonly TryRow[]> =>
  await sql.query<TryRow>(
    `SELECT t.* FROM unnest($1::text[]) AS d (delivery_id)
      CROSS JOIN LATERAL (
        SELECT delivery_id AS "deliveryId", number, at, status_code AS "statusCode", error, duration_ms AS "durationMs"
          FROM webhook_tries WHERE delivery_id = d.delivery_id ORDER BY number DESC LIMIT ${TRIES_SHOWN_MAX}) AS t`,
    [deliveryIds],
  );

/**
 * Owes it anew, from the beginning of the schedule. What is in somebody's hands at this moment is being sent as it is.
 *
 * @returns it as it stands now
 */
export const oweAgain = async (tx: Tx, endpointId: string, id: string): Promise<DeliveryRow | undefined> => {
  await tx.execute(
    `UPDATE webhook_deliveries
        SET status = 'PENDING', ended_at = NULL, due_at = clock_timestamp(), in_flight_until = NULL, round_tries = 0,
            fence = fence + 1
      WHERE delivery_id = $1 AND endpoint_id = $2
        AND (in_flight_until IS NULL OR in_flight_until <= clock_timestamp())`,
    [id, endpointId],
  );
  return await findDelivery(tx, endpointId, id);
};

export interface Recovery {
  readonly endpointId: string;
  readonly merchantId: string;
  readonly types: readonly string[];
  readonly since: string;
  /** As many as may be queued. */
  readonly deliveryIds: readonly string[];
}

/**
 * Owes what the endpoint was never sent and what was given up, of the merchant's events since then. What was accepted, and
 * what is owed already, stays as it is. @returns how many
 */
export const recoverDeliveries = async (tx: Tx, recovery: Recovery): Promise<number> =>
  await tx.execute(
    `INSERT INTO webhook_deliveries AS d (delivery_id, endpoint_id, event_id, event_type, aggregate_id, sequence, due_at)
     SELECT n.delivery_id, $1, m.event_id, m.type, m.aggregate_id, m.sequence, clock_timestamp()
       FROM (SELECT e.event_id, e.type, e.aggregate_id, e.sequence, row_number() OVER (ORDER BY e.position) AS number
               FROM events e
              WHERE e.merchant_id = $2 AND e.received_at >= $4 AND e.position IS NOT NULL AND e.type = ANY ($3::text[])
                AND NOT EXISTS (SELECT FROM webhook_deliveries h
                                 WHERE h.endpoint_id = $1 AND h.event_id = e.event_id AND h.status IN ('PENDING', 'DELIVERED'))
              ORDER BY e.position LIMIT cardinality($5::text[])) AS m
       JOIN unnest($5::text[]) WITH ORDINALITY AS n (delivery_id, number) USING (number)
     ON CONFLICT (endpoint_id, event_id) DO UPDATE
        SET status = 'PENDING', ended_at = NULL, due_at = excluded.due_at, round_tries = 0, fence = d.fence + 1
      WHERE d.status IN ('FAILED', 'CANCELED')`,
    [recovery.endpointId, recovery.merchantId, recovery.types, recovery.since, recovery.deliveryIds],
  );

export interface EndpointFigures {
  readonly pending: number;
  readonly oldestPendingAt: Date | null;
  readonly tries: number;
  readonly accepted: number;
  readonly lastAcceptedAt: Date | null;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
}

const TIMES_SAMPLED_MAX = 1_000;

/** What an endpoint is owed, and how its tries of the last day went. */
export const figuresOf = async (sql: Sql, endpointId: string): Promise<EndpointFigures> => {
  const [row] = await sql.query<EndpointFigures>(
    `SELECT o.pending, o."oldestPendingAt", t.tries, t.accepted, t."lastAcceptedAt", p."medianMs", p."p95Ms"
       FROM (SELECT count(*)::int AS pending, min(created_at) AS "oldestPendingAt" FROM webhook_deliveries
              WHERE endpoint_id = $1 AND status = 'PENDING') AS o,
            (SELECT count(*)::int AS tries, (count(*) FILTER (WHERE error IS NULL))::int AS accepted,
                    max(at) FILTER (WHERE error IS NULL) AS "lastAcceptedAt"
               FROM webhook_tries WHERE endpoint_id = $1 AND at >= now() - interval '1 day') AS t,
            (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms)::int AS "medianMs",
                    percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms)::int AS "p95Ms"
               FROM (SELECT duration_ms FROM webhook_tries WHERE endpoint_id = $1 AND at >= now() - interval '1 day'
                      ORDER BY at DESC LIMIT ${TIMES_SAMPLED_MAX}) AS latest) AS p`,
    [endpointId],
  );
  if (row === undefined) throw new Error('invariant: figures are one row');
  return row;
};

/** A bounded step: what was owed to endpoints that were deleted is owed no more. @returns how many */
export const cancelOfDeleted = async (sql: Sql, rowsMax: number): Promise<number> =>
  await sql.execute(
    `UPDATE webhook_deliveries SET status = 'CANCELED', ended_at = clock_timestamp(), in_flight_until = NULL,
            fence = fence + 1
      WHERE delivery_id = ANY (ARRAY(
        SELECT d.delivery_id FROM webhook_endpoints e
          CROSS JOIN LATERAL (SELECT delivery_id FROM webhook_deliveries
                               WHERE endpoint_id = e.endpoint_id AND status = 'PENDING' LIMIT $1) AS d
         WHERE e.status = 'DELETED' LIMIT $1))`,
    [rowsMax],
  );

/** A bounded step of forgetting what has ended, of events as old as that. @returns how many */
export const deleteOldDeliveries = async (sql: Sql, days: number, rowsMax: number): Promise<number> =>
  await sql.execute(
    `DELETE FROM webhook_deliveries WHERE delivery_id = ANY (ARRAY(
       SELECT d.delivery_id FROM events e JOIN webhook_deliveries d USING (event_id)
        WHERE e.received_at < now() - make_interval(days => $1) AND d.status <> 'PENDING'
        ORDER BY e.received_at LIMIT $2))`,
    [days, rowsMax],
  );
