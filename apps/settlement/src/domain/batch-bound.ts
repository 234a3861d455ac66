import { type BatchTotals, type CountedLine, totalsOf } from './batch-totals.js';
import { linesByPayment } from './line-events.js';

/** A net is made of four totals, and is told as a JSON number: exact below 2⁵³. */
export const BATCH_TOTAL_MINOR_MAX = 2n ** 51n - 1n;

/**
 * The payments, in their order, that a batch takes in without one of its totals leaving its bound. The rest waits for the
 * next run, as what arrives behind the cursor does.
 */
export const fittingLines = <Line extends CountedLine & { readonly paymentId: string }>(
  lines: readonly Line[],
  before: BatchTotals | undefined,
): readonly Line[] => {
  const fitting: Line[] = [];
  let totals = before ?? totalsOf([]);
  for (const payment of linesByPayment(lines)) {
    totals = sumOf(totals, totalsOf(payment));
    if (!isWithinBound(totals)) break;
    fitting.push(...payment);
  }
  return fitting;
};

const sumOf = (one: BatchTotals, other: BatchTotals): BatchTotals => ({
  lineCount: one.lineCount + other.lineCount,
  grossMinor: one.grossMinor + other.grossMinor,
  refundsMinor: one.refundsMinor + other.refundsMinor,
  disputesMinor: one.disputesMinor + other.disputesMinor,
  feesMinor: one.feesMinor + other.feesMinor,
});

const isWithinBound = ({ grossMinor, refundsMinor, disputesMinor, feesMinor }: BatchTotals): boolean =>
  [grossMinor, refundsMinor, disputesMinor, feesMinor].every(
    (total) => total <= BATCH_TOTAL_MINOR_MAX && total >= -BATCH_TOTAL_MINOR_MAX,
  );
