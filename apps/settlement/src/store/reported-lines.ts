import type { Sql } from '@payflow/postgres';

import type { ExceptionRow } from './settlement-exceptions.js';

/** What a report says of a line. */
export interface ReportedLine {
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
  readonly currency: string;
  readonly at: Date;
}

const COLUMNS = `l.amount_minor AS "amountMinor", l.fee_minor AS "feeMinor", l.currency, l.occurred_at AS at`;

/** As it was when the exception was raised. */
export const findReportLine = async (sql: Sql, reportId: string, line: number): Promise<ReportedLine | undefined> => {
  const [row] = await sql.query<ReportedLine>(
    `SELECT ${COLUMNS} FROM report_lines l WHERE l.report_id = $1 AND l.line = $2`,
    [reportId, line],
  );
  return row;
};

/**
 * The same entry as the latest report has it, compared or not, that has it or is of its time. Undefined: that report has it
 * no more. The same entry is that of the same reference, time and reference of theirs; of several such in one report, that in
 * the same place.
 */
export const findEntryNow = async (sql: Sql, reportId: string, line: number): Promise<ReportedLine | undefined> => {
  const [row] = await sql.query<ReportedLine>(
    `WITH entry AS (
       SELECT l.source, l.type, l.reference, l.their_reference, l.occurred_at,
              (SELECT count(*) FROM report_lines same
                WHERE same.report_id = l.report_id AND same.line < l.line AND same.source = l.source AND same.type = l.type
                  AND same.reference = l.reference AND same.occurred_at = l.occurred_at
                  AND same.their_reference IS NOT DISTINCT FROM l.their_reference) AS before
         FROM report_lines l WHERE l.report_id = $1 AND l.line = $2
     ), told AS (
       SELECT l.* FROM report_lines l JOIN entry USING (source, type, reference, occurred_at)
        WHERE l.their_reference IS NOT DISTINCT FROM entry.their_reference
     ), latest AS (
       SELECT r.id FROM imported_reports r JOIN entry ON entry.source = r.source
        WHERE (r.period_from <= entry.occurred_at AND entry.occurred_at < r.period_to) OR r.id IN (SELECT report_id FROM told)
        ORDER BY r.position DESC LIMIT 1
     )
     SELECT ${COLUMNS} FROM told l JOIN latest ON latest.id = l.report_id
      ORDER BY l.line LIMIT 1 OFFSET (SELECT before FROM entry)`,
    [reportId, line],
  );
  return row;
};

/** What the latest report that has the line says, compared or not. */
export const findLineNow = async (
  sql: Sql,
  { source, type, reference }: Pick<ExceptionRow, 'source' | 'type' | 'reference'>,
): Promise<ReportedLine | undefined> => {
  const [row] = await sql.query<ReportedLine>(
    `SELECT ${COLUMNS} FROM report_lines l JOIN imported_reports r ON r.id = l.report_id
      WHERE l.source = $1 AND l.type = $2 AND l.reference = $3 ORDER BY r.position DESC, l.line DESC LIMIT 1`,
    [source, type, reference],
  );
  return row;
};
