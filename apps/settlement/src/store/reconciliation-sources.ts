import type { Sql, Tx } from '@payflow/postgres';

export interface SourceRow {
  readonly source: string;
  readonly coveredFrom: Date | null;
  readonly coveredUntil: Date | null;
}

/** What the service is configured with; what was there before keeps its timer. */
export const registerSources = async (sql: Sql, sources: readonly string[], nextRunAt: Date): Promise<void> => {
  await sql.execute(
    `INSERT INTO reconciliation_sources (source, next_run_at) SELECT source, $2 FROM unnest($1::text[]) AS source
     ON CONFLICT (source) DO NOTHING`,
    [sources, nextRunAt],
  );
};

export const findSource = async (sql: Sql, source: string): Promise<SourceRow | undefined> => {
  const [row] = await sql.query<SourceRow>(
    `SELECT source, covered_from AS "coveredFrom", covered_until AS "coveredUntil" FROM reconciliation_sources WHERE source = $1`,
    [source],
  );
  return row;
};

/**
 * Moves on the timers that are due: whoever does has to start their runs, in the same transaction. Another instance waits for
 * the row and finds it moved on.
 */
export const takeDueSources = async (
  tx: Tx,
  sources: readonly string[],
  now: Date,
  nextRunAt: Date,
): Promise<readonly string[]> =>
  (
    await tx.query<{ source: string }>(
      `UPDATE reconciliation_sources SET next_run_at = $3
        WHERE source = ANY ($1::text[]) AND next_run_at <= $2 RETURNING source`,
      [sources, now, nextRunAt],
    )
  ).map(({ source }) => source);

/** A report of that period was read in. */
export const widenCoverage = async (tx: Tx, source: string, from: Date, to: Date): Promise<void> => {
  await tx.execute(
    `UPDATE reconciliation_sources
        SET covered_from = least(covered_from, $2), covered_until = greatest(covered_until, $3) WHERE source = $1`,
    [source, from, to],
  );
};
