import type { Sql, Tx } from '@payflow/postgres';

/** An event that came in, as its merchant gets it. */
export interface NewEvent {
  readonly eventId: string;
  readonly merchantId: string;
  readonly type: string;
  readonly aggregateId: string;
  readonly sequence: number;
  readonly body: string;
  readonly occurredAt: Date;
}

/**
 * Appends to the merchants' feeds and keeps their rows locked, in the order of merchants, so that transactions wait for each
 * other and never in a circle.
 *
 * @returns the last position of each feed, the added ones included
 */
export const advanceFeeds = async (
  tx: Tx,
  added: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, bigint>> => {
  const merchants = [...added.keys()].sort();
  const rows = await tx.query<{ merchantId: string; lastPosition: bigint }>(
    `INSERT INTO event_feeds AS f (merchant_id, last_position)
     SELECT * FROM unnest($1::text[], $2::bigint[]) AS n (merchant_id, added) ORDER BY merchant_id
     ON CONFLICT (merchant_id) DO UPDATE SET last_position = f.last_position + excluded.last_position
     RETURNING merchant_id AS "merchantId", last_position AS "lastPosition"`,
    [merchants, merchants.map((merchantId) => added.get(merchantId) ?? 0)],
  );
  return new Map(rows.map(({ merchantId, lastPosition }) => [merchantId, lastPosition]));
};

/** Stores events at their places. @returns the ids of those that were not there yet */
export const insertEvents = async (
  tx: Tx,
  events: readonly (NewEvent & { readonly position: bigint | null })[],
): Promise<ReadonlySet<string>> => {
  const rows = await tx.query<{ eventId: string }>(
    `INSERT INTO events (event_id, merchant_id, position, type, aggregate_id, sequence, body, occurred_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                          $8::timestamptz[])
     ON CONFLICT (event_id) DO NOTHING
     RETURNING event_id AS "eventId"`,
    [
      events.map(({ eventId }) => eventId),
      events.map(({ merchantId }) => merchantId),
      events.map(({ position }) => position),
      events.map(({ type }) => type),
      events.map(({ aggregateId }) => aggregateId),
      events.map(({ sequence }) => sequence),
      events.map(({ body }) => body),
      events.map(({ occurredAt }) => occurredAt),
    ],
  );
  return new Set(rows.map(({ eventId }) => eventId));
};

export interface FeedItem {
  readonly position: bigint;
  readonly body: string;
}

/** A merchant's events behind a place, in the order in which they came to be told. */
export const feedAfter = async (
  sql: Sql,
  merchantId: string,
  after: bigint,
  type: string | undefined,
  limit: number,
): Promise<readonly FeedItem[]> =>
  await sql.query<FeedItem>(
    // Two questions, each with its index: what is of one type may be one in a million of what the merchant is told.
    `SELECT position, body FROM events
      WHERE merchant_id = $1 AND position > $2 ${type === undefined ? '' : 'AND type = $4'}
      ORDER BY position LIMIT $3`,
    [merchantId, after, limit, ...(type === undefined ? [] : [type])],
  );

/** The place before the first event that came since then; the end of the feed when none has. */
export const placeBefore = async (sql: Sql, merchantId: string, since: string): Promise<bigint> => {
  const [row] = await sql.query<{ place: bigint }>(
    `SELECT coalesce((SELECT position - 1 FROM events WHERE merchant_id = $1 AND received_at >= $2 AND position IS NOT NULL
                       ORDER BY received_at LIMIT 1),
                     (SELECT last_position FROM event_feeds WHERE merchant_id = $1), 0) AS place`,
    [merchantId, since],
  );
  return row?.place ?? 0n;
};

/** An event of a feed; a test is none. */
export const findEvent = async (
  sql: Sql,
  eventId: string,
): Promise<{ readonly merchantId: string; readonly body: string } | undefined> => {
  const [row] = await sql.query<{ merchantId: string; body: string }>(
    'SELECT merchant_id AS "merchantId", body FROM events WHERE event_id = $1 AND position IS NOT NULL',
    [eventId],
  );
  return row;
};

/** A bounded step of forgetting events that nobody is owed. @returns how many went */
export const deleteOldEvents = async (sql: Sql, days: number, rowsMax: number): Promise<number> =>
  await sql.execute(
    `DELETE FROM events WHERE event_id = ANY (ARRAY(
       SELECT e.event_id FROM events e
        WHERE e.received_at < now() - make_interval(days => $1)
          AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.event_id = e.event_id)
        ORDER BY e.received_at LIMIT $2))`,
    [days, rowsMax],
  );
