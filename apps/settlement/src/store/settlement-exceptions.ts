import type { ReportLineType, SettlementException, SettlementExceptionKind } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import type { Difference } from './matching.js';

/** A row of `settlement_exceptions`. */
export interface ExceptionRow {
  readonly id: string;
  readonly source: string;
  readonly kind: SettlementExceptionKind;
  readonly status: SettlementException['status'];
  readonly type: ReportLineType;
  readonly reference: string;
  readonly runId: string;
  readonly reportId: string | null;
  readonly line: number | null;
  readonly theirReference: string | null;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly expectedMinor: bigint | null;
  readonly expectedCurrency: string | null;
  readonly actualMinor: bigint | null;
  readonly currency: string;
  readonly assignedTo: string | null;
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedAt: Date | null;
  readonly createdAt: Date;
}

const COLUMNS = `id, source, kind, status, type, reference, run_id AS "runId", report_id AS "reportId", line,
  their_reference AS "theirReference", payment_id AS "paymentId", merchant_id AS "merchantId", expected_minor AS "expectedMinor",
  expected_currency AS "expectedCurrency", actual_minor AS "actualMinor", currency, assigned_to AS "assignedTo", resolution,
  resolved_by AS "resolvedBy", resolved_at AS "resolvedAt", created_at AS "createdAt"`;

/** Each kind of each difference becomes an exception, unless it has been raised before. @returns those that are new */
export const insertExceptions = async (
  tx: Tx,
  source: string,
  runId: string,
  differences: readonly Difference[],
  at: Date,
): Promise<ExceptionRow[]> => {
  const raised = differences.flatMap((difference) =>
    difference.kinds.map((kind) => ({ ...difference, ...sidesOf(kind, difference), id: newId('sex'), kind })),
  );
  if (raised.length === 0) return [];
  return await tx.query<ExceptionRow>(
    `INSERT INTO settlement_exceptions (id, source, kind, status, type, reference, occurrence, run_id, report_id, line, their_reference,
       payment_id, merchant_id, expected_minor, expected_currency, actual_minor, currency, created_at)
     SELECT n.id, $1, n.kind, 'OPEN', n.type, n.reference, n.occurrence, $2, n.report_id, n.line, n.their_reference, n.payment_id,
            n.merchant_id, n.expected_minor, n.expected_currency, n.actual_minor, n.currency, $3
       FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[], $11::text[], $12::text[],
              $13::text[], $14::bigint[], $15::text[], $16::bigint[], $17::text[])
         AS n (id, kind, type, reference, occurrence, report_id, line, their_reference, payment_id, merchant_id, expected_minor,
               expected_currency, actual_minor, currency)
     ON CONFLICT (source, kind, type, reference, occurrence) DO NOTHING
     RETURNING ${COLUMNS}`,
    [
      source,
      runId,
      at,
      raised.map(({ id }) => id),
      raised.map(({ kind }) => kind),
      raised.map(({ type }) => type),
      raised.map(({ reference }) => reference),
      raised.map(occurrenceOf),
      raised.map(({ reportId }) => reportId),
      raised.map(({ line }) => line),
      raised.map(({ theirReference }) => theirReference),
      raised.map(({ paymentId }) => paymentId),
      raised.map(({ merchantId }) => merchantId),
      raised.map(({ expectedMinor }) => expectedMinor),
      raised.map(({ expectedCurrency }) => expectedCurrency),
      raised.map(({ actualMinor }) => actualMinor),
      raised.map(({ currency }) => currency),
    ],
  );
};

/** What the two sides say, of what differs. */
const sidesOf = (
  kind: SettlementExceptionKind,
  difference: Difference,
): Pick<Difference, 'expectedMinor' | 'actualMinor'> =>
  kind === 'fee'
    ? { expectedMinor: difference.expectedFeeMinor, actualMinor: difference.actualFeeMinor }
    : { expectedMinor: difference.expectedMinor, actualMinor: difference.actualMinor };

const occurrenceOf = (raised: Difference & { readonly kind: SettlementExceptionKind }): string => {
  const { expectedMinor, actualMinor, actualFeeMinor, currency } = raised;
  switch (raised.kind) {
    case 'missing_here':
      return `${actualMinor ?? ''} ${actualFeeMinor ?? ''} ${currency}`;
    case 'missing_there':
      return '';
    case 'duplicate':
      return raised.entry ?? '';
    case 'currency':
      return `${expectedMinor ?? ''}:${actualMinor ?? ''} ${actualFeeMinor ?? ''} ${currency}`;
    case 'amount':
    case 'fee':
      return `${expectedMinor ?? ''}:${actualMinor ?? ''} ${currency}`;
  }
};

/** Of an open exception `x`: there is no difference any more, and nobody has approved a correction. */
const IS_SETTLED = `x.status = 'OPEN'
  AND NOT EXISTS (SELECT FROM corrections c WHERE c.exception_id = x.id AND c.status IN ('APPROVED', 'POSTED'))
  AND CASE
        WHEN x.kind = 'missing_there' THEN EXISTS (
          SELECT FROM expected_lines e
           WHERE e.source = x.source AND e.type = x.type AND e.reference = x.reference AND e.seen_in IS NOT NULL)
        WHEN x.kind = 'missing_here' THEN EXISTS (
          SELECT FROM expected_lines e WHERE e.source = x.source AND e.type = x.type AND e.reference = x.reference)
        WHEN x.kind IN ('amount', 'currency', 'fee') THEN EXISTS (
          SELECT FROM report_lines l JOIN imported_reports later ON later.id = l.report_id
            JOIN imported_reports r ON r.id = x.report_id
           WHERE l.source = x.source AND l.type = x.type AND l.reference = x.reference AND l.verdict = 'matched'
             AND later.position > r.position)
        ELSE false
      END`;

/**
 * Differences that are none any more: the line that was missing there came in a report, ours that was missing here came with its
 * event, a later report says what we say. Not those whose correction is posted, or about to be.
 */
export const closeSettled = async (
  tx: Tx,
  source: string,
  reportId: string | null,
  at: Date,
): Promise<ExceptionRow[]> => {
  // First the locks, which wait for whoever approves a correction at this moment; then, seeing what he did, the closing.
  const settled = await tx.query<{ id: string }>(
    `SELECT x.id FROM settlement_exceptions x WHERE x.source = $1 AND ${IS_SETTLED} ORDER BY x.id FOR UPDATE`,
    [source],
  );
  const closed = await tx.query<ExceptionRow>(
    `UPDATE settlement_exceptions x
        SET status = 'RESOLVED', resolved_by = 'svc_settlement', resolved_at = $3,
            resolution = CASE x.kind WHEN 'missing_here' THEN 'Our books have it now.'
                           ELSE 'A later report settles it' || coalesce(': ' || $2::text, '') || '.' END
      WHERE x.id = ANY ($1::text[]) AND ${IS_SETTLED}
  RETURNING ${COLUMNS}`,
    [settled.map(({ id }) => id), reportId, at],
  );
  await tx.execute(
    `UPDATE corrections SET status = 'REFUSED', decided_by = 'svc_settlement', decided_at = $2, failure = 'the difference is settled'
      WHERE exception_id = ANY ($1::text[]) AND status = 'PENDING'`,
    [closed.map(({ id }) => id), at],
  );
  return closed;
};

export const findException = async (sql: Sql, id: string): Promise<ExceptionRow | undefined> => {
  const [row] = await sql.query<ExceptionRow>(`SELECT ${COLUMNS} FROM settlement_exceptions WHERE id = $1`, [id]);
  return row;
};

/** Nobody else decides about it until the transaction ends. */
export const lockException = async (tx: Tx, id: string): Promise<ExceptionRow | undefined> => {
  const [row] = await tx.query<ExceptionRow>(`SELECT ${COLUMNS} FROM settlement_exceptions WHERE id = $1 FOR UPDATE`, [
    id,
  ]);
  return row;
};

export const assignException = async (tx: Tx, id: string, assignee: string | null): Promise<void> => {
  await tx.execute('UPDATE settlement_exceptions SET assigned_to = $2 WHERE id = $1', [id, assignee]);
};

export const resolveException = async (
  tx: Tx,
  id: string,
  resolved: { readonly by: string; readonly resolution: string; readonly at: Date },
): Promise<void> => {
  await tx.execute(
    `UPDATE settlement_exceptions SET status = 'RESOLVED', resolved_by = $2, resolution = $3, resolved_at = $4
      WHERE id = $1 AND status = 'OPEN'`,
    [id, resolved.by, resolved.resolution, resolved.at],
  );
};

export interface ExceptionFilter {
  readonly source?: string | undefined;
  readonly kind?: SettlementExceptionKind | undefined;
  readonly status?: ExceptionRow['status'] | undefined;
  readonly runId?: string | undefined;
  readonly paymentId?: string | undefined;
  readonly assignedTo?: string | undefined;
}

/** Newest first, behind the one that ended the page before. */
export const listExceptions = async (
  sql: Sql,
  filter: ExceptionFilter,
  before: string | undefined,
  limit: number,
): Promise<ExceptionRow[]> =>
  await sql.query<ExceptionRow>(
    `SELECT ${COLUMNS} FROM settlement_exceptions
      WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR status = $3)
        AND ($4::text IS NULL OR run_id = $4) AND ($5::text IS NULL OR payment_id = $5)
        AND ($6::text IS NULL OR assigned_to = $6) AND ($7::text IS NULL OR id < $7)
      ORDER BY id DESC LIMIT $8`,
    [
      filter.source ?? null,
      filter.kind ?? null,
      filter.status ?? null,
      filter.runId ?? null,
      filter.paymentId ?? null,
      filter.assignedTo ?? null,
      before ?? null,
      limit,
    ],
  );
