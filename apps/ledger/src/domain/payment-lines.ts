/** A payment's posting as people read it: one line, a positive amount, the id of its credit leg. */
export interface PaymentLine {
  readonly entryId: string;
  readonly transactionId: string;
  readonly type: string;
  readonly amountMinor: bigint;
  readonly createdAt: Date;
}

const BALANCE_SIGN: Readonly<Record<string, 1n | -1n>> = {
  CAPTURE: 1n,
  REFUND: -1n,
  REFUND_REVERSAL: 1n,
  CHARGEBACK: -1n,
  CHARGEBACK_REVERSAL: 1n,
};

/**
 * Captured less refunded less charged back (spec §2). Holds do not count, a settlement moves what is there already, and a fee
 * is the merchant's matter, not the payment's.
 */
export const ledgerBalanceOf = (lines: readonly Pick<PaymentLine, 'type' | 'amountMinor'>[]): bigint =>
  lines.reduce((balance, { type, amountMinor }) => balance + (BALANCE_SIGN[type] ?? 0n) * amountMinor, 0n);
