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
