import type { Sql } from '@payflow/postgres';

/*
 * An array stands in a `(SELECT $1)` of its own where rows are looked up by it: seen directly, its length makes a plan for the
 * values at hand look better than the general one, and Postgres plans anew each time, which takes it longer than looking up.
 */

/** The sequence each gate takes next, locked until the transaction ends, in the order of the aggregates' ids. */
export const lockGates = async (
  tx: Sql,
  consumer: string,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, number>> => {
  // One after the other, in one round trip.
  const [, rows] = await Promise.all([
    openGates(tx, consumer, aggregateIds),
    tx.query<{ aggregate_id: string; next_sequence: bigint }>(
      `SELECT aggregate_id, next_sequence FROM gates
       WHERE consumer = $1 AND aggregate_id = ANY ((SELECT $2::text[])::text[]) ORDER BY aggregate_id FOR UPDATE`,
      [consumer, aggregateIds],
    ),
  ]);
  return new Map(rows.map((row) => [row.aggregate_id, Number(row.next_sequence)]));
};

const openGates = async (tx: Sql, consumer: string, aggregateIds: readonly string[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO gates (consumer, aggregate_id) SELECT $1, id FROM unnest($2::text[]) AS id ORDER BY id
     ON CONFLICT DO NOTHING`,
    [consumer, aggregateIds],
  );
};

export const moveGates = async (tx: Sql, consumer: string, next: ReadonlyMap<string, number>): Promise<void> => {
  if (next.size === 0) return;
  await tx.execute(
    `UPDATE gates g SET next_sequence = v.next_sequence
     FROM unnest((SELECT $2::text[]), (SELECT $3::bigint[])) AS v (aggregate_id, next_sequence)
     WHERE g.consumer = $1 AND g.aggregate_id = v.aggregate_id`,
    [consumer, [...next.keys()], [...next.values()]],
  );
};

/** How many of these aggregates' events up to their sequences the consumer has not applied. */
export const countBehind = async (
  sql: Sql,
  consumer: string,
  events: readonly { readonly aggregateId: string; readonly sequence: number }[],
): Promise<number> => {
  if (events.length === 0) return 0;
  const [row] = await sql.query<{ behind: bigint }>(
    `SELECT count(*) AS behind FROM unnest($2::text[], $3::bigint[]) AS wanted (aggregate_id, sequence)
      WHERE NOT EXISTS (SELECT FROM gates g WHERE g.consumer = $1 AND g.aggregate_id = wanted.aggregate_id
                                              AND g.next_sequence > wanted.sequence)`,
    [consumer, events.map(({ aggregateId }) => aggregateId), events.map(({ sequence }) => sequence)],
  );
  return Number(row?.behind ?? 0n);
};

/** The sequence up to which the consumer has applied the aggregate's events. */
export const appliedSequence = async (sql: Sql, consumer: string, aggregateId: string): Promise<number> => {
  const [row] = await sql.query<{ next_sequence: bigint }>(
    'SELECT next_sequence FROM gates WHERE consumer = $1 AND aggregate_id = $2',
    [consumer, aggregateId],
  );
  return Number(row?.next_sequence ?? 1) - 1;
};
