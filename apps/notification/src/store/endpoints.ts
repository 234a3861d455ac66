import type { Sql, Tx } from '@payflow/postgres';

import type { DisabledReason, EndpointHealth, EndpointStatus } from '../domain/endpoint-health.js';

export interface EndpointRow extends EndpointHealth {
  readonly id: string;
  readonly merchantId: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly description: string | null;
  readonly ordered: boolean;
  readonly status: EndpointStatus;
  readonly disabledReason: DisabledReason | null;
  readonly version: bigint;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = `
  endpoint_id AS id, merchant_id AS "merchantId", url, event_types AS "eventTypes", description, ordered, status,
  disabled_reason AS "disabledReason", failing_since AS "failingSince", consecutive_failures AS "consecutiveFailures",
  paused_until AS "pausedUntil", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

export type NewEndpoint = Pick<EndpointRow, 'id' | 'merchantId' | 'url' | 'eventTypes' | 'description' | 'ordered'>;

/** "hook" in ASCII; with a merchant's hash it lets one endpoint of his be made at a time. */
const CREATION_LOCK = 0x686f6f6b;

/** Counts the merchant's endpoints, and lets nobody else make one for him until the transaction ends. */
export const countEndpoints = async (tx: Tx, merchantId: string): Promise<number> => {
  const [, rows] = await Promise.all([
    tx.execute('SELECT pg_advisory_xact_lock($1, hashtext($2))', [CREATION_LOCK, merchantId]),
    tx.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM webhook_endpoints WHERE merchant_id = $1 AND status <> 'DELETED'`,
      [merchantId],
    ),
  ]);
  return rows[0]?.count ?? 0;
};

export const insertEndpoint = async (tx: Tx, endpoint: NewEndpoint): Promise<EndpointRow> => {
  const [row] = await tx.query<EndpointRow>(
    `INSERT INTO webhook_endpoints (endpoint_id, merchant_id, url, event_types, description, ordered, status)
     VALUES ($1, $2, $3, $4, $5, $6, 'ENABLED') RETURNING ${COLUMNS}`,
    [endpoint.id, endpoint.merchantId, endpoint.url, endpoint.eventTypes, endpoint.description, endpoint.ordered],
  );
  if (row === undefined) throw new Error('invariant: an insert returned no row');
  return row;
};

/** One that was not deleted. */
export const findEndpoint = async (sql: Sql, id: string): Promise<EndpointRow | undefined> => {
  const [row] = await sql.query<EndpointRow>(
    `SELECT ${COLUMNS} FROM webhook_endpoints WHERE endpoint_id = $1 AND status <> 'DELETED'`,
    [id],
  );
  return row;
};

/** The same, and nobody changes it until the transaction ends. */
export const lockEndpoint = async (tx: Tx, id: string): Promise<EndpointRow | undefined> => {
  const [row] = await tx.query<EndpointRow>(
    `SELECT ${COLUMNS} FROM webhook_endpoints WHERE endpoint_id = $1 AND status <> 'DELETED' FOR NO KEY UPDATE`,
    [id],
  );
  return row;
};

export interface EndpointFilter {
  /** Undefined: of all merchants. */
  readonly merchantId: string | undefined;
  readonly status: string | undefined;
}

/** Newest first, behind the one that ended the page before. */
export const listEndpoints = async (
  sql: Sql,
  filter: EndpointFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly EndpointRow[]> =>
  await sql.query<EndpointRow>(
    `SELECT ${COLUMNS} FROM webhook_endpoints
      WHERE status <> 'DELETED' AND ($1::text IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR status = $2)
        AND ($3::text IS NULL OR endpoint_id < $3)
      ORDER BY endpoint_id DESC LIMIT $4`,
    [filter.merchantId ?? null, filter.status ?? null, before ?? null, limit],
  );

/** A bounded step of forgetting endpoints that were deleted, when nothing is left of what they were sent. @returns how many */
export const deleteOldEndpoints = async (sql: Sql, days: number, rowsMax: number): Promise<number> =>
  await sql.execute(
    `DELETE FROM webhook_endpoints WHERE endpoint_id = ANY (ARRAY(
       SELECT e.endpoint_id FROM webhook_endpoints e
        WHERE e.status = 'DELETED' AND e.updated_at < now() - make_interval(days => $1)
          AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = e.endpoint_id)
        ORDER BY e.updated_at LIMIT $2))`,
    [days, rowsMax],
  );

/** Those that are told of a merchant's events now. */
export const enabledEndpointsOf = async (
  sql: Sql,
  merchantIds: readonly string[],
): Promise<readonly Pick<EndpointRow, 'id' | 'merchantId' | 'eventTypes'>[]> =>
  await sql.query(
    `SELECT endpoint_id AS id, merchant_id AS "merchantId", event_types AS "eventTypes" FROM webhook_endpoints
      WHERE merchant_id = ANY ($1::text[]) AND status = 'ENABLED' ORDER BY endpoint_id`,
    [merchantIds],
  );

/** Writes what its merchant, or we for him, have decided about it. The row is locked. */
export const saveEndpoint = async (tx: Tx, endpoint: EndpointRow): Promise<EndpointRow> => {
  const [row] = await tx.query<EndpointRow>(
    `UPDATE webhook_endpoints
        SET url = $2, event_types = $3, description = $4, ordered = $5, status = $6, disabled_reason = $7,
            failing_since = $8, consecutive_failures = $9, paused_until = $10, version = version + 1,
            updated_at = clock_timestamp()
      WHERE endpoint_id = $1 RETURNING ${COLUMNS}`,
    [
      endpoint.id,
      endpoint.url,
      endpoint.eventTypes,
      endpoint.description,
      endpoint.ordered,
      endpoint.status,
      endpoint.disabledReason,
      endpoint.failingSince,
      endpoint.consecutiveFailures,
      endpoint.pausedUntil,
    ],
  );
  if (row === undefined) throw new Error('invariant: an endpoint that was locked is gone');
  return row;
};

/**
 * Locks those whose health these tries may change, in the order of ids: all with a failure, and of the others only those that
 * were failing. A healthy endpoint's row is not touched at all, however many it accepts.
 */
export const lockHealth = async (
  tx: Tx,
  accepted: readonly string[],
  failed: readonly string[],
): Promise<readonly EndpointRow[]> =>
  await tx.query<EndpointRow>(
    `SELECT ${COLUMNS} FROM webhook_endpoints
      WHERE endpoint_id = ANY ($2::text[]) OR (endpoint_id = ANY ($1::text[]) AND failing_since IS NOT NULL)
      ORDER BY endpoint_id FOR NO KEY UPDATE`,
    [accepted, failed],
  );

/** A change of health is no new version, unless it disables. */
export const saveHealth = async (
  tx: Tx,
  endpoints: readonly (EndpointHealth & { readonly id: string })[],
): Promise<void> => {
  if (endpoints.length === 0) return;
  await tx.execute(
    `UPDATE webhook_endpoints e
        SET status = n.status, disabled_reason = n.disabled_reason, failing_since = n.failing_since,
            consecutive_failures = n.consecutive_failures, paused_until = n.paused_until,
            version = e.version + CASE WHEN e.status = n.status THEN 0 ELSE 1 END,
            updated_at = CASE WHEN e.status = n.status THEN e.updated_at ELSE clock_timestamp() END
       FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::int[], $6::timestamptz[])
         AS n (endpoint_id, status, disabled_reason, failing_since, consecutive_failures, paused_until)
      WHERE e.endpoint_id = n.endpoint_id`,
    [
      endpoints.map(({ id }) => id),
      endpoints.map(({ status }) => status),
      endpoints.map(({ disabledReason }) => disabledReason),
      endpoints.map(({ failingSince }) => failingSince),
      endpoints.map(({ consecutiveFailures }) => consecutiveFailures),
      endpoints.map(({ pausedUntil }) => pausedUntil),
    ],
  );
};
