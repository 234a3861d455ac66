import type { PoolClient } from 'pg';
import type { Sql } from '@payflow/postgres';

import type { Headers } from '../message.js';

export interface PendingRow {
  readonly position: string;
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Headers;
  readonly envelope: string | null;
  readonly raw: Buffer | null;
}

/** "outbox" in ASCII; advisory locks are numbers of the database. */
const RELAY_LOCK = 0x6f7574626f78;

/** Whether this connection is the database's relay from now on, until it ends. */
export const tryRelayLock = async (client: PoolClient): Promise<boolean> => {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [RELAY_LOCK]);
  return rows[0]?.locked === true;
};

/**
 * A mark need not outlive a crash: a row that lost it is sent again, and consumers know it by their inbox. So marking waits
 * for no disk, which is one flush in three of a payment's.
 */
export const relaxDurability = async (client: PoolClient): Promise<void> => {
  await client.query('SET synchronous_commit = off');
};

/** The next rows to send, bounded by number and by bytes; a row that is larger alone goes alone. */
export const pendingRows = async (
  client: PoolClient,
  rowsMax: number,
  bytesMax: number,
): Promise<readonly PendingRow[]> => {
  const { rows } = await client.query<PendingRow>({
    name: 'outbox pending rows',
    text: `WITH next AS MATERIALIZED (
       SELECT position, bytes FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT $1
     ), bounded AS (
       SELECT position, sum(bytes) OVER (ORDER BY position) AS bytes_so_far, min(position) OVER () AS first FROM next
     )
     SELECT o.position::text, o.topic, o.key, o.headers, o.envelope, o.raw
     FROM bounded b JOIN outbox o USING (position)
     WHERE b.bytes_so_far <= $2 OR b.position = b.first
     ORDER BY o.position`,
    values: [rowsMax, bytesMax],
  });
  return rows;
};

export const markPublished = async (client: PoolClient, positions: readonly string[]): Promise<void> => {
  await client.query({
    name: 'outbox mark published',
    text: 'UPDATE outbox SET published_at = clock_timestamp() WHERE position = ANY ($1::bigint[])',
    values: [positions],
  });
};

export interface OutboxBacklog {
  readonly unpublished: number;
  readonly oldestAgeSeconds: number;
}

export const outboxBacklog = async (sql: Sql): Promise<OutboxBacklog> => {
  const [row] = await sql.query<{ unpublished: number; oldest_age_seconds: number }>(
    `SELECT count(*)::int AS unpublished,
            coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_age_seconds
     FROM outbox WHERE published_at IS NULL`,
  );
  return { unpublished: row?.unpublished ?? 0, oldestAgeSeconds: row?.oldest_age_seconds ?? 0 };
};

/** A bounded step of forgetting what was sent long ago. */
export const deleteOldOutboxRows = async (sql: Sql, days: number, rowsMax: number): Promise<number> =>
  await sql.execute(
    `DELETE FROM outbox WHERE position = ANY (ARRAY(
       SELECT position FROM outbox WHERE published_at < now() - make_interval(days => $1) ORDER BY published_at LIMIT $2))`,
    [days, rowsMax],
  );

/**
 * Has the next rows that are kept sent again, in the order of their positions.
 *
 * @returns the positions concerned, in order; none at the end
 */
export const unpublishAfter = async (
  sql: Sql,
  position: bigint,
  upTo: bigint,
  rowsMax: number,
): Promise<readonly bigint[]> => {
  const rows = await sql.query<{ position: bigint }>(
    `WITH next AS (SELECT position FROM outbox WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3),
          again AS (UPDATE outbox o SET published_at = NULL FROM next WHERE o.position = next.position)
     SELECT position FROM next ORDER BY position`,
    [position, upTo, rowsMax],
  );
  return rows.map((row) => row.position);
};

export const lastPosition = async (sql: Sql): Promise<bigint> => {
  const [row] = await sql.query<{ position: bigint | null }>('SELECT max(position) AS position FROM outbox');
  return row?.position ?? 0n;
};
