import type { InjectedReportError } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { BankName } from '../domain/bank.js';
import type { IssuedLine, IssuedReport, ReportError } from '../domain/issued-report.js';

export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** What the acquirer took and gave back in a period, by the time at which it said so. */
export const listAcquirerLines = async (
  sql: Sql,
  acquirer: AcquirerName,
  { from, to }: Period,
): Promise<IssuedLine[]> =>
  await sql.query<IssuedLine>(
    `SELECT CASE WHEN o.operation = 'capture' THEN 'capture' WHEN r.outcome = 'approved' THEN 'refund'
                 ELSE 'refund_reversal' END AS type,
            o.reference, o.authorization_id AS "ownReference", o.payment_id AS "paymentId",
            CASE WHEN o.operation = 'refund' AND r.outcome = 'approved' THEN -r.amount_minor ELSE r.amount_minor END AS "amountMinor",
            o.currency, 0::bigint AS "feeMinor", r.created_at AS at
       FROM operation_results r JOIN operations o USING (acquirer, reference)
      WHERE r.acquirer = $1 AND r.created_at >= $2 AND r.created_at < $3
        AND ((o.operation IN ('capture', 'refund') AND r.outcome = 'approved')
          OR (o.operation = 'refund' AND r.outcome = 'declined' AND EXISTS (
               SELECT FROM operation_results before
                WHERE before.acquirer = r.acquirer AND before.reference = r.reference
                  AND before.sequence < r.sequence AND before.outcome = 'approved')))
     UNION ALL
     SELECT lower(kind), dispute_id, dispute_id, payment_id,
            CASE kind WHEN 'CHARGEBACK' THEN -amount_minor ELSE amount_minor END, currency, 0, created_at
       FROM chargebacks WHERE acquirer = $1 AND created_at >= $2 AND created_at < $3
      ORDER BY at, type, reference`,
    [acquirer, from, to],
  );

/** What left the account that we have at the bank, and what came back. */
export const listBankLines = async (sql: Sql, bank: BankName, { from, to }: Period): Promise<IssuedLine[]> =>
  await sql.query<IssuedLine>(
    `SELECT CASE kind WHEN 'CREDIT' THEN 'payout' ELSE 'return' END AS type, reference,
            p.bank_reference AS "ownReference", NULL AS "paymentId",
            CASE kind WHEN 'CREDIT' THEN -b.amount_minor ELSE b.amount_minor END AS "amountMinor",
            b.currency, 0::bigint AS "feeMinor", b.created_at AS at
       FROM bank_book b JOIN bank_payouts p USING (bank, reference)
      WHERE bank = $1 AND b.created_at >= $2 AND b.created_at < $3
      ORDER BY b.position`,
    [bank, from, to],
  );

/** The balance of each currency at a time; PayFlow begins with nothing. */
export const bankBalancesAt = async (sql: Sql, bank: BankName, at: Date): Promise<ReadonlyMap<string, bigint>> => {
  const rows = await sql.query<{ currency: string; minor: bigint }>(
    `SELECT currency, sum(CASE kind WHEN 'CREDIT' THEN -amount_minor ELSE amount_minor END)::bigint AS minor
       FROM bank_book WHERE bank = $1 AND created_at < $2 GROUP BY currency`,
    [bank, at],
  );
  return new Map(rows.map(({ currency, minor }) => [currency, minor]));
};

export const insertReport = async (tx: Tx, report: IssuedReport, content: string, at: Date): Promise<void> => {
  await tx.execute(
    `INSERT INTO issued_reports (report_id, issuer, period_from, period_to, content, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [report.reportId, report.issuer, report.from, report.to, content, at],
  );
};

export const findReportContent = async (sql: Sql, issuer: string, reportId: string): Promise<string | undefined> => {
  const [row] = await sql.query<{ content: string }>(
    'SELECT content FROM issued_reports WHERE issuer = $1 AND report_id = $2',
    [issuer, reportId],
  );
  return row?.content;
};

export const insertReportErrors = async (
  sql: Sql,
  issuer: string,
  errors: readonly { readonly kind: InjectedReportError; readonly reference?: string | undefined }[],
  at: Date,
): Promise<void> => {
  await sql.execute(
    `INSERT INTO report_errors (issuer, kind, reference, created_at)
     SELECT $1, e.kind, e.reference, $4 FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS e (kind, reference, number)
      ORDER BY e.number`,
    [issuer, errors.map(({ kind }) => kind), errors.map(({ reference }) => reference ?? null), at],
  );
};

/** Those that wait, in order; nobody else makes them meanwhile. */
export const lockReportErrors = async (tx: Tx, issuer: string): Promise<ReportError[]> =>
  await tx.query<ReportError>(
    `SELECT error_id AS "errorId", kind, reference FROM report_errors
      WHERE issuer = $1 AND made_in IS NULL ORDER BY error_id FOR UPDATE`,
    [issuer],
  );

export const endReportErrors = async (tx: Tx, errors: readonly ReportError[], reportId: string): Promise<void> => {
  await tx.execute('UPDATE report_errors SET made_in = $2 WHERE error_id = ANY ($1::bigint[])', [
    errors.map(({ errorId }) => errorId),
    reportId,
  ]);
};

export const countReportErrors = async (sql: Sql, issuer: string): Promise<number> => {
  const [row] = await sql.query<{ waiting: bigint }>(
    'SELECT count(*) AS waiting FROM report_errors WHERE issuer = $1 AND made_in IS NULL',
    [issuer],
  );
  return Number(row?.waiting ?? 0);
};
