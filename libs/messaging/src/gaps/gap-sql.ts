import type { Sql } from '@payflow/postgres';

export interface Gap {
  readonly consumer: string;
  readonly aggregateId: string;
  readonly nextSequence: number;
}

/**
 * Gates at which events have waited for too long for one that is not there, and is no dead letter either. Whoever gets
 * one looks after it for that long.
 */
export const claimGaps = async (
  sql: Sql,
  consumers: readonly string[],
  ageMs: number,
  rowsMax: number,
): Promise<readonly Gap[]> => {
  const rows = await sql.query<{ consumer: string; aggregate_id: string; next_sequence: bigint }>(
    `UPDATE gates g SET gap_checked_at = clock_timestamp()
     FROM (SELECT h.consumer, h.aggregate_id
           FROM (SELECT consumer, aggregate_id, min(sequence) AS first, min(parked_at) AS since FROM parked
                 WHERE consumer = ANY ($1::text[]) AND aggregate_id IS NOT NULL GROUP BY consumer, aggregate_id) AS w
           JOIN gates h USING (consumer, aggregate_id)
           WHERE w.first > h.next_sequence AND w.since < clock_timestamp() - $2 * interval '1 millisecond'
             AND (h.gap_checked_at IS NULL OR h.gap_checked_at < clock_timestamp() - $2 * interval '1 millisecond')
             AND NOT EXISTS (SELECT 1 FROM dead_letters d
                             WHERE d.consumer = h.consumer AND d.aggregate_id = h.aggregate_id
                               AND d.sequence = h.next_sequence AND d.status IN ('open', 'replaying'))
           ORDER BY w.since LIMIT $3 FOR UPDATE OF h SKIP LOCKED) AS gap
     WHERE g.consumer = gap.consumer AND g.aggregate_id = gap.aggregate_id
     RETURNING g.consumer, g.aggregate_id, g.next_sequence`,
    [consumers, ageMs, rowsMax],
  );
  return rows.map((row) => ({
    consumer: row.consumer,
    aggregateId: row.aggregate_id,
    nextSequence: Number(row.next_sequence),
  }));
};
