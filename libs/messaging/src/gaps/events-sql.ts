import type { Sql } from '@payflow/postgres';

import type { Headers } from '../message.js';

export interface PublishedEvent {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Headers;
  /** The exact text of the message. */
  readonly envelope: string;
}

/** An aggregate's events behind a sequence, sent to Kafka or not. */
export const eventsAfter = async (
  sql: Sql,
  aggregateId: string,
  sequence: number,
  rowsMax: number,
): Promise<readonly PublishedEvent[]> =>
  await sql.query<PublishedEvent>(
    `SELECT topic, key, headers, envelope FROM outbox
     WHERE aggregate_id = $1 AND sequence > $2 AND envelope IS NOT NULL ORDER BY sequence LIMIT $3`,
    [aggregateId, sequence, rowsMax],
  );

/** An aggregate with events that are not sent yet, and the last of them. */
export interface UnsentEvents {
  readonly aggregateId: string;
  readonly sequence: number;
}

/** What waits to be sent under a key. */
export const unsentUnder = async (sql: Sql, key: string, aggregatesMax: number): Promise<readonly UnsentEvents[]> => {
  const rows = await sql.query<{ aggregate_id: string; sequence: bigint }>(
    `SELECT aggregate_id, max(sequence) AS sequence FROM outbox
      WHERE published_at IS NULL AND key = $1 AND aggregate_id IS NOT NULL
      GROUP BY aggregate_id LIMIT $2`,
    [key, aggregatesMax],
  );
  return rows.map((row) => ({ aggregateId: row.aggregate_id, sequence: Number(row.sequence) }));
};
