import type {
  BalanceTransaction,
  MerchantBalance,
  PayoutView,
  SettlementRunView,
  SettlementView,
} from '@payflow/contracts';

import type { BalanceTransactionRow } from '../store/balance-transactions.js';
import type { BalanceRow } from '../store/merchant-balances.js';
import type { PayoutRow } from '../store/payouts.js';
import type { RunRow } from '../store/settlement-runs.js';
import type { SettlementRow } from '../store/settlements.js';

/** Amounts as JSON numbers: exact for what one merchant can have; a sum beyond that is the nearest double. */
const minor = (amountMinor: bigint): number => Number(amountMinor);

export const balanceView = (row: BalanceRow): MerchantBalance['data'][number] => ({
  currency: row.currency,
  pending: minor(row.pendingMinor),
  available: minor(row.availableMinor),
  reserved: minor(row.reservedMinor),
});

export const balanceTransactionView = (row: BalanceTransactionRow): BalanceTransaction => ({
  balanceTransactionId: row.id,
  type: row.type,
  currency: row.currency,
  gross: minor(row.grossMinor),
  fee: minor(row.feeMinor),
  net: minor(row.netMinor),
  paymentId: row.paymentId,
  reference: row.reference,
  acquirer: row.acquirer,
  settlementId: row.settlementId,
  payoutId: row.payoutId,
  occurredAt: row.occurredAt.toISOString(),
  availableOn: row.availableOn.toISOString(),
  createdAt: row.createdAt.toISOString(),
});

export const settlementView = (row: SettlementRow): SettlementView => ({
  settlementId: row.id,
  runId: row.runId,
  merchantId: row.merchantId,
  acquirer: row.acquirer,
  currency: row.currency,
  bank: row.bank,
  status: row.status,
  cutoffAt: row.cutoffAt.toISOString(),
  lineCount: Number(row.lineCount),
  gross: minor(row.grossMinor),
  refunds: minor(row.refundsMinor),
  disputes: minor(row.disputesMinor),
  fees: minor(row.feesMinor),
  reserved: minor(row.reservedMinor),
  net: minor(row.netMinor),
  payoutId: row.payoutId,
  createdAt: row.createdAt.toISOString(),
  completedAt: row.completedAt?.toISOString() ?? null,
});

export const runView = (row: RunRow): SettlementRunView => ({
  runId: row.id,
  merchantId: row.merchantId,
  cutoffAt: row.cutoffAt.toISOString(),
  phase: row.phase,
  requestedBy: row.requestedBy,
  chunks: row.chunks,
  lineCount: Number(row.lineCount),
  settlementCount: row.settlementCount,
  payoutCount: row.payoutCount,
  setAsideCount: row.setAsideCount,
  waitsUntil: row.waitsUntil?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  finishedAt: row.finishedAt?.toISOString() ?? null,
});

export const payoutView = (row: PayoutRow): PayoutView => ({
  payoutId: row.id,
  merchantId: row.merchantId,
  amount: minor(row.amountMinor),
  currency: row.currency,
  status: row.status,
  reason: row.reason,
  attention: row.attention,
  bank: row.bank,
  bankAccount: row.accountMasked,
  bankReference: row.bankReference,
  settlementIds: [...row.settlementIds],
  createdAt: row.createdAt.toISOString(),
  sentAt: row.sentAt?.toISOString() ?? null,
  paidAt: row.paidAt?.toISOString() ?? null,
  endedAt: row.endedAt?.toISOString() ?? null,
});

/** A page of rows that were read with one too many; the cursor is the id of the last that is shown. */
export const pageOfRows = <Row extends { readonly id: string }, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
): { data: View[]; nextCursor: string | null } => {
  const shown = rows.slice(0, limit);
  return { data: shown.map(view), nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
};
