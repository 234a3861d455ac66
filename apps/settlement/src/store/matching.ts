import type { ReportLineType, SettlementExceptionKind } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

/** A line of which the two sides do not say the same. */
export interface Difference {
  readonly kinds: readonly SettlementExceptionKind[];
  readonly type: ReportLineType;
  readonly reference: string;
  readonly reportId: string | null;
  readonly line: number | null;
  readonly theirReference: string | null;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly expectedMinor: bigint | null;
  readonly expectedCurrency: string | null;
  readonly expectedFeeMinor: bigint | null;
  readonly actualMinor: bigint | null;
  readonly actualFeeMinor: bigint | null;
  readonly currency: string;
}

export interface Chunk {
  readonly reportId: string;
  readonly afterLine: number;
  readonly untilLine: number;
}

/** The next lines of this source that were not compared, as a range in one report. */
export const nextChunk = async (
  tx: Tx,
  source: string,
  behind: Chunk | undefined,
  lineMax: number,
): Promise<Chunk | undefined> => {
  const [row] = await tx.query<Chunk>(
    `WITH first AS (
       SELECT report_id, line FROM report_lines
        WHERE source = $1 AND verdict IS NULL AND (report_id, line) > ($2, $3) ORDER BY report_id, line LIMIT 1
     ), following AS (
       SELECT l.report_id, l.line FROM report_lines l JOIN first f ON l.report_id = f.report_id AND l.line >= f.line
        WHERE l.source = $1 AND l.verdict IS NULL ORDER BY l.line LIMIT $4
     )
     SELECT report_id AS "reportId", min(line) - 1 AS "afterLine", max(line) AS "untilLine" FROM following GROUP BY report_id`,
    [source, behind?.reportId ?? '', behind?.untilLine ?? 0, lineMax],
  );
  return row;
};

/**
 * Compares the lines of a chunk with ours, and marks both sides. A duplicate is the second line of the same thing in one
 * report, or in two reports of different times; reports of overlapping times repeat each other. What is younger than `youngAt`
 * and not known here stays open: its event may be on its way.
 *
 * @returns how many lines agree, and the others
 */
export const matchChunk = async (
  tx: Tx,
  { reportId, afterLine, untilLine }: Chunk,
  youngAt: Date,
): Promise<{ readonly matched: number; readonly differences: readonly Difference[] }> => {
  const rows = await tx.query<Difference & { readonly matched: bigint | null }>(
    `WITH judged AS MATERIALIZED (
       SELECT l.report_id, l.line, l.source, l.type, l.reference, l.their_reference, l.payment_id AS their_payment_id,
              l.amount_minor, l.currency, l.fee_minor,
              e.reference IS NOT NULL AS is_known, e.payment_id, e.merchant_id, e.amount_minor AS expected_minor,
              e.currency AS expected_currency, e.fee_minor AS expected_fee,
              CASE
                WHEN d.is_duplicate THEN ARRAY['duplicate']
                WHEN e.reference IS NULL THEN CASE WHEN l.occurred_at < $4 THEN ARRAY['missing_here'] END
                WHEN e.currency <> l.currency THEN ARRAY['currency']
                ELSE array_remove(ARRAY[CASE WHEN e.amount_minor <> l.amount_minor THEN 'amount' END,
                                        CASE WHEN e.fee_minor <> l.fee_minor THEN 'fee' END], NULL)
              END AS kinds
         FROM report_lines l
         JOIN imported_reports r ON r.id = l.report_id
        CROSS JOIN LATERAL (SELECT EXISTS (
                SELECT FROM report_lines b
                 WHERE b.source = l.source AND b.type = l.type AND b.reference = l.reference
                   AND (b.report_id, b.line) <> (l.report_id, l.line)
                   AND CASE WHEN b.report_id = l.report_id THEN b.line < l.line
                            ELSE EXISTS (SELECT FROM imported_reports s
                                          WHERE s.id = b.report_id AND s.position < r.position
                                            AND (s.period_to <= r.period_from OR s.period_from >= r.period_to)) END
              ) AS is_duplicate) d
         LEFT JOIN expected_lines e ON e.source = l.source AND e.type = l.type AND e.reference = l.reference
        WHERE l.report_id = $1 AND l.line > $2 AND l.line <= $3 AND l.verdict IS NULL
     ), marked AS (
       UPDATE report_lines l
          SET verdict = CASE WHEN j.kinds = '{}' THEN 'matched' WHEN j.kinds = '{duplicate}' THEN 'duplicate'
                             WHEN j.kinds = '{missing_here}' THEN 'unknown' ELSE 'differs' END
         FROM judged j WHERE l.report_id = j.report_id AND l.line = j.line AND j.kinds IS NOT NULL
     ), seen AS (
       UPDATE expected_lines e SET seen_in = j.report_id
         FROM judged j
        WHERE j.is_known AND j.kinds <> '{duplicate}'
          AND e.source = j.source AND e.type = j.type AND e.reference = j.reference
     )
     SELECT kinds, type, reference, report_id AS "reportId", line, their_reference AS "theirReference",
            coalesce(payment_id, their_payment_id) AS "paymentId", merchant_id AS "merchantId",
            expected_minor AS "expectedMinor", expected_currency AS "expectedCurrency", expected_fee AS "expectedFeeMinor",
            amount_minor AS "actualMinor", fee_minor AS "actualFeeMinor", currency, NULL::bigint AS matched
       FROM judged WHERE kinds <> '{}'
     UNION ALL
     SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*)
       FROM judged WHERE kinds = '{}'`,
    [reportId, afterLine, untilLine, youngAt],
  );
  return {
    matched: Number(rows.find(({ matched }) => matched !== null)?.matched ?? 0),
    differences: rows.filter(({ matched }) => matched === null),
  };
};

/**
 * Lines of ours that the reports should have told of and did not: older than the grace period, within the time that reports
 * were read in of, and not raised before. A return is expected only of what was paid.
 */
export const listMissingThere = async (
  tx: Tx,
  source: string,
  graceSeconds: number,
  limit: number,
): Promise<readonly Difference[]> =>
  await tx.query<Difference>(
    `SELECT ARRAY['missing_there'] AS kinds, e.type, e.reference, NULL AS "reportId", NULL AS line, NULL AS "theirReference",
            e.payment_id AS "paymentId", e.merchant_id AS "merchantId", e.amount_minor AS "expectedMinor",
            e.currency AS "expectedCurrency", e.fee_minor AS "expectedFeeMinor", NULL AS "actualMinor",
            NULL AS "actualFeeMinor", e.currency
       FROM expected_lines e JOIN reconciliation_sources s ON s.source = e.source
      WHERE e.source = $1 AND e.seen_in IS NULL AND e.amount_minor <> 0
        AND e.occurred_at >= s.covered_from AND e.occurred_at < s.covered_until - make_interval(secs => $2)
        AND NOT EXISTS (SELECT FROM settlement_exceptions x
                         WHERE x.source = e.source AND x.kind = 'missing_there' AND x.type = e.type AND x.reference = e.reference)
        AND (e.type <> 'return' OR EXISTS (SELECT FROM expected_lines p
                         WHERE p.source = e.source AND p.type = 'payout' AND p.reference = e.reference))
      ORDER BY e.occurred_at LIMIT $3`,
    [source, graceSeconds, limit],
  );

/** What was not known here when it was looked at and is now: it is compared again. */
export const reopenKnown = async (tx: Tx, source: string): Promise<void> => {
  await tx.execute(
    `UPDATE report_lines l SET verdict = NULL
       FROM settlement_exceptions x
      WHERE x.source = $1 AND x.kind = 'missing_here' AND x.status = 'OPEN'
        AND l.source = x.source AND l.type = x.type AND l.reference = x.reference AND l.verdict = 'unknown'
        AND EXISTS (SELECT FROM expected_lines e WHERE e.source = x.source AND e.type = x.type AND e.reference = x.reference)`,
    [source],
  );
};
