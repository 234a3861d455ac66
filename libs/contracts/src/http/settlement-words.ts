/**
 * What changes a merchant's balance. capture, refund, refund_failure, dispute (the amount taken back), dispute_fee,
 * dispute_reversal (a dispute won), reserve and reserve_release, payout, payout_failure and payout_return, adjustment.
 */
export const BALANCE_TRANSACTION_TYPES = [
  'capture',
  'refund',
  'refund_failure',
  'dispute',
  'dispute_reversal',
  'reserve',
  'reserve_release',
  'payout',
  'payout_failure',
  'payout_return',
  'adjustment',
] as const;
export type BalanceTransactionType = (typeof BALANCE_TRANSACTION_TYPES)[number];

/** So many batches are named with a payout at most. Each batch names its payout. */
export const PAYOUT_SETTLEMENTS_MAX = 1_000;

export const PAYOUT_STATUSES = ['PENDING', 'IN_TRANSIT', 'PAID', 'FAILED', 'RETURNED'] as const;
export type PayoutStatus = (typeof PAYOUT_STATUSES)[number];

/**
 * How our books and the other side's report can differ. missing_here: they have a line that we do not know; missing_there:
 * we expect one that they do not have; the others: both have it.
 */
export const SETTLEMENT_EXCEPTION_KINDS = [
  'missing_here',
  'missing_there',
  'amount',
  'currency',
  'duplicate',
  'fee',
] as const;
export type SettlementExceptionKind = (typeof SETTLEMENT_EXCEPTION_KINDS)[number];
