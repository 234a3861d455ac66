import type { ReportLineType, SettlementExceptionKind } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

import { BESIDE } from './expected-lines.js';

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
  /** Which of the entries of this line it is: the same in each report that repeats it. */
  readonly entry: string | null;
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
 * Compares the lines of a chunk with ours, and marks both sides. Of one thing there is one entry, the first that any report had.
 * A report of an overlapping time repeats it: the same time, the same reference of theirs, and what it says now counts. All else
 * is a duplicate: a second one in the same report, another time or reference of theirs, or one in a report of another time. What
 * is younger than `youngAt` and not known here stays open: its event may be on its way.
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
              concat_ws(' ', extract(epoch FROM l.occurred_at), coalesce(l.their_reference, '-'), same.nth) AS entry,
              e.reference IS NOT NULL AS is_known, e.payment_id, e.merchant_id, e.amount_minor AS expected_minor,
              e.currency AS expected_currency, e.fee_minor AS expected_fee,
              CASE
                WHEN NOT d.is_first THEN ARRAY['duplicate']
                WHEN e.reference IS NULL THEN CASE WHEN l.occurred_at < $4 THEN ARRAY['missing_here'] END
                WHEN e.currency <> l.currency THEN ARRAY['currency']
                ELSE array_remove(ARRAY[CASE WHEN e.amount_minor <> l.amount_minor THEN 'amount' END,
                                        CASE WHEN e.fee_minor <> l.fee_minor THEN 'fee' END], NULL)
              END AS kinds
         FROM report_lines l
         JOIN imported_reports r ON r.id = l.report_id
        CROSS JOIN LATERAL (
              SELECT f.occurred_at, f.their_reference, s.period_from, s.period_to
                FROM report_lines f JOIN imported_reports s ON s.id = f.report_id
               WHERE f.source = l.source AND f.type = l.type AND f.reference = l.reference
               ORDER BY s.position, f.line LIMIT 1) first
        CROSS JOIN LATERAL (
              SELECT count(*) + 1 AS nth FROM report_lines b
               WHERE b.report_id = l.report_id AND b.line < l.line
                 AND b.source = l.source AND b.type = l.type AND b.reference = l.reference
                 AND b.occurred_at = l.occurred_at AND b.their_reference IS NOT DISTINCT FROM l.their_reference) same
        CROSS JOIN LATERAL (
              SELECT same.nth = 1 AND first.occurred_at = l.occurred_at
                     AND first.their_reference IS NOT DISTINCT FROM l.their_reference
                     AND first.period_from < r.period_to AND first.period_to > r.period_from AS is_first) d
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
            amount_minor AS "actualMinor", fee_minor AS "actualFeeMinor", currency, entry, NULL::bigint AS matched
       FROM judged WHERE kinds <> '{}'
     UNION ALL
     SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*)
       FROM judged WHERE kinds = '{}'`,
    [reportId, afterLine, untilLine, youngAt],
  );
  return {
    matched: Number(rows.find(({ matched }) => matched !== null)?.matched ?? 0),
    differences: rows.filter(({ matched }) => matched === null),
  };
};

/**
 * Lines of ours that the reports should have told of and did not: within a time that a report was read in of (there may be gaps
 * between them), older than the grace period when the last one ended, and not raised before. A return is expected only of what
 * was paid.
 */
export const listMissingThere = async (
  tx: Tx,
  source: string,
  graceSeconds: number,
  limit: number,
): Promise<readonly Difference[]> =>
  await tx.query<Difference>(
    `WITH covered AS MATERIALIZED (
       SELECT range_agg(tstzrange(period_from, period_to)) AS times FROM imported_reports WHERE source = $1
     )
     SELECT ARRAY['missing_there'] AS kinds, e.type, e.reference, NULL AS "reportId", NULL AS line, NULL AS "theirReference",
            e.payment_id AS "paymentId", e.merchant_id AS "merchantId", e.amount_minor AS "expectedMinor",
            e.currency AS "expectedCurrency", e.fee_minor AS "expectedFeeMinor", NULL AS "actualMinor",
            NULL AS "actualFeeMinor", e.currency, NULL AS entry
       FROM expected_lines e JOIN reconciliation_sources s ON s.source = e.source CROSS JOIN covered
      WHERE e.source = $1 AND e.seen_in IS NULL AND e.amount_minor <> 0
        AND e.occurred_at >= s.covered_from AND e.occurred_at < s.covered_until - make_interval(secs => $2)
        AND e.occurred_at <@ covered.times
        AND NOT EXISTS (SELECT FROM settlement_exceptions x
                         WHERE x.source = e.source AND x.kind = 'missing_there' AND x.type = e.type AND x.reference = e.reference)
        AND (e.type <> 'return' OR EXISTS (SELECT FROM expected_lines p
                         WHERE p.source = e.source AND p.type = 'payout'
                           AND p.reference = regexp_replace(e.reference, '${BESIDE}$', '')))
      ORDER BY e.occurred_at LIMIT $3`,
    [source, graceSeconds, limit],
  );

/** What was not known here when it was looked at and is now, whatever people made of it meanwhile: it is compared again. */
export const reopenKnown = async (tx: Tx, source: string): Promise<void> => {
  await tx.execute(
    `UPDATE report_lines l SET verdict = NULL
      WHERE l.source = $1 AND l.verdict = 'unknown'
        AND EXISTS (SELECT FROM expected_lines e WHERE e.source = l.source AND e.type = l.type AND e.reference = l.reference)`,
    [source],
  );
};
