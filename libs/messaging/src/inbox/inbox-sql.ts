import type { Sql } from '@payflow/postgres';

/** Makes these events the consumer's own; answers those that were not yet. Sorted, so that two chunks cannot deadlock. */
export const claimEvents = async (
  tx: Sql,
  consumer: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> => {
  const rows = await tx.query<{ event_id: string }>(
    `INSERT INTO inbox (consumer, event_id)
     SELECT $1, id FROM unnest($2::text[]) AS id ORDER BY id
     ON CONFLICT DO NOTHING RETURNING event_id`,
    [consumer, eventIds],
  );
  return new Set(rows.map((row) => row.event_id));
};

export interface Progress {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: bigint;
}

/** May go back: after Kafka's log was erased, offsets count from 0 again. Sorted, so that two chunks cannot deadlock. */
export const storeProgress = async (
  tx: Sql,
  consumer: string,
  clusterId: string,
  progress: readonly Progress[],
): Promise<void> => {
  await tx.execute(
    `INSERT INTO consumer_offsets AS o (consumer, topic, partition, next_offset, cluster_id)
     SELECT $1, v.topic, v.partition, v.next_offset, $2
       FROM unnest($3::text[], $4::int[], $5::bigint[]) AS v (topic, partition, next_offset) ORDER BY v.topic, v.partition
     ON CONFLICT (consumer, topic, partition)
     DO UPDATE SET next_offset = EXCLUDED.next_offset, cluster_id = EXCLUDED.cluster_id, updated_at = now()`,
    [
      consumer,
      clusterId,
      progress.map(({ topic }) => topic),
      progress.map(({ partition }) => partition),
      progress.map(({ nextOffset }) => nextOffset),
    ],
  );
};

export const nextOffsetOf = async (
  sql: Sql,
  consumer: string,
  clusterId: string,
  place: { readonly topic: string; readonly partition: number },
): Promise<bigint | undefined> => {
  const [row] = await sql.query<{ next_offset: bigint }>(
    `SELECT next_offset FROM consumer_offsets
      WHERE consumer = $1 AND topic = $2 AND partition = $3 AND cluster_id = $4`,
    [consumer, place.topic, place.partition, clusterId],
  );
  return row?.next_offset;
};

export const storedProgress = async (sql: Sql, consumer: string, clusterId: string): Promise<readonly Progress[]> =>
  await sql.query<Progress>(
    `SELECT topic, partition, next_offset AS "nextOffset" FROM consumer_offsets
      WHERE consumer = $1 AND cluster_id = $2`,
    [consumer, clusterId],
  );

/** A bounded step of forgetting, oldest first. */
export const deleteOldInboxRows = async (sql: Sql, days: number, rowsMax: number): Promise<number> =>
  await sql.execute(
    `DELETE FROM inbox WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => $1) ORDER BY received_at LIMIT $2))`,
    [days, rowsMax],
  );
