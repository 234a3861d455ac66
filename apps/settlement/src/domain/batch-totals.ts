import type { BalanceTransactionType } from '@payflow/contracts';

/** The part of a line that a batch adds up. */
export interface CountedLine {
  readonly type: BalanceTransactionType;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
}

/** Refunds and disputes as positive amounts; net = gross − refunds − disputes − fees. */
export interface BatchTotals {
  readonly lineCount: number;
  readonly grossMinor: bigint;
  readonly refundsMinor: bigint;
  readonly disputesMinor: bigint;
  readonly feesMinor: bigint;
}

export const totalsOf = (lines: readonly CountedLine[]): BatchTotals => {
  const grossOf = (...types: readonly BalanceTransactionType[]): bigint =>
    sum(lines.filter(({ type }) => types.includes(type)).map(({ grossMinor }) => grossMinor));
  return {
    lineCount: lines.length,
    grossMinor: grossOf('capture'),
    refundsMinor: -grossOf('refund', 'refund_failure'),
    disputesMinor: -grossOf('dispute', 'dispute_reversal'),
    feesMinor: sum(lines.map(({ feeMinor }) => feeMinor)),
  };
};

export const netOf = (totals: BatchTotals): bigint =>
  totals.grossMinor - totals.refundsMinor - totals.disputesMinor - totals.feesMinor;

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
