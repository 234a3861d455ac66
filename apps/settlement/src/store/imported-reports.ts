import type { Sql, Tx } from '@payflow/postgres';

import type { ImportedLine, ReportSummary } from '../reports/imported-report.js';

/** A total as `imported_reports.totals` has it: JSON has no bigint. */
export interface StoredTotal {
  readonly currency: string;
  readonly count: number;
  readonly amount: string;
  readonly fee: string;
}

/** A row of `imported_reports`. */
export interface ReportRow extends Omit<ReportSummary, 'totals'> {
  readonly id: string;
  readonly source: string;
  readonly sha256: Buffer;
  readonly totals: readonly StoredTotal[];
  readonly importedBy: string;
  readonly runId: string;
  readonly createdAt: Date;
}

const COLUMNS = `id, source, their_id AS "theirId", sha256, period_from AS "from", period_to AS "to", line_count AS "lineCount",
  totals, imported_by AS "importedBy", run_id AS "runId", created_at AS "createdAt"`;

export const findReport = async (sql: Sql, id: string): Promise<ReportRow | undefined> => {
  const [row] = await sql.query<ReportRow>(`SELECT ${COLUMNS} FROM imported_reports WHERE id = $1`, [id]);
  return row;
};

/** The same file, read in before. */
export const findReportByHash = async (sql: Sql, source: string, sha256: Buffer): Promise<ReportRow | undefined> => {
  const [row] = await sql.query<ReportRow>(
    `SELECT ${COLUMNS} FROM imported_reports WHERE source = $1 AND sha256 = $2`,
    [source, sha256],
  );
  return row;
};

/** One file of a source at a time, until the transaction ends: of two equal ones the second finds the first. */
export const lockSource = async (tx: Tx, source: string): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`report of ${source}`]);
};

/** Behind its lines, whose number and totals it tells. */
export const insertReport = async (tx: Tx, report: ReportRow): Promise<void> => {
  await tx.execute(
    `INSERT INTO imported_reports (id, source, their_id, sha256, period_from, period_to, line_count, totals, imported_by, run_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11)`,
    [
      report.id,
      report.source,
      report.theirId,
      report.sha256,
      report.from,
      report.to,
      report.lineCount,
      JSON.stringify(report.totals),
      report.importedBy,
      report.runId,
      report.createdAt,
    ],
  );
};

export const insertReportLines = async (
  tx: Tx,
  reportId: string,
  source: string,
  lines: readonly ImportedLine[],
): Promise<void> => {
  await tx.execute(
    `INSERT INTO report_lines (report_id, source, line, type, reference, their_reference, payment_id, amount_minor, currency,
       fee_minor, occurred_at)
     SELECT $1, $2, * FROM unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
       $10::bigint[], $11::timestamptz[])`,
    [
      reportId,
      source,
      lines.map(({ line }) => line),
      lines.map(({ type }) => type),
      lines.map(({ reference }) => reference),
      lines.map(({ theirReference }) => theirReference),
      lines.map(({ paymentId }) => paymentId),
      lines.map(({ amountMinor }) => amountMinor),
      lines.map(({ currency }) => currency),
      lines.map(({ feeMinor }) => feeMinor),
      lines.map(({ at }) => at),
    ],
  );
};

/** Newest first, behind the one that ended the page before. */
export const listReports = async (
  sql: Sql,
  source: string | undefined,
  before: string | undefined,
  limit: number,
): Promise<ReportRow[]> =>
  await sql.query<ReportRow>(
    `SELECT ${COLUMNS} FROM imported_reports
      WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [source ?? null, before ?? null, limit],
  );
