import type {
  AccountResponse,
  EntryResponse,
  PaymentEntriesResponse,
  TransactionResponse,
  TrialBalanceResponse,
} from '@payflow/contracts';

import { ledgerBalanceOf, type PaymentLine } from '../domain/payment-lines.js';
import type { AccountRow } from '../store/account-rows.js';
import type { CurrencyTotals, EntryRow, TransactionRow } from '../store/journal-reads.js';

/**
 * Amounts as JSON numbers. Accounts that clients post to stay within the exact range (BALANCE_MINOR_MAX); sums over
 * everything and PayFlow's own accounts may leave it and are then the nearest double.
 */
const minor = (amountMinor: bigint): number => Number(amountMinor);

export const accountResponse = (row: AccountRow): AccountResponse => ({
  accountId: row.id,
  code: row.code,
  currency: row.currency,
  floor: row.floor === null ? null : minor(row.floor),
  balance: minor(row.balance),
  entryCount: Number(row.entry_count),
  createdAt: row.created_at.toISOString(),
});

export const entryResponse = (row: EntryRow): EntryResponse => ({
  entryId: row.id,
  transactionId: row.transaction_id,
  accountId: row.account_id,
  account: row.account,
  type: row.entry_type,
  direction: row.direction,
  amount: minor(row.amount),
  currency: row.currency,
  balanceAfter: minor(row.balance_after),
  paymentId: row.payment_id,
  merchantId: row.merchant_id,
  createdAt: row.created_at.toISOString(),
});

export const transactionResponse = (row: TransactionRow, legs: readonly EntryRow[]): TransactionResponse => ({
  transactionId: row.id,
  reference: row.reference,
  type: row.type,
  effectiveAt: row.effective_at.toISOString(),
  createdAt: row.recorded_at.toISOString(),
  paymentId: row.payment_id,
  merchantId: row.merchant_id,
  eventId: row.event_id,
  acquirerReference: row.acquirer_reference,
  postedBy: row.posted_by,
  correlationId: row.correlation_id,
  revertedBy: row.reverted_by,
  reverts: row.reverts,
  metadata: { ...row.metadata },
  entries: legs.map(entryResponse),
});

export const trialBalanceResponse = (totals: {
  readonly asOf: Date;
  readonly currencies: readonly CurrencyTotals[];
}): TrialBalanceResponse => ({
  asOf: totals.asOf.toISOString(),
  currencies: totals.currencies.map(({ currency, debitsMinor, creditsMinor, accounts }) => ({
    currency,
    debits: minor(debitsMinor),
    credits: minor(creditsMinor),
    balanced: debitsMinor === creditsMinor,
    accounts,
  })),
});

export const paymentEntriesResponse = (
  appliedSequence: number,
  lines: readonly PaymentLine[],
): PaymentEntriesResponse => ({
  appliedSequence,
  ledgerBalance: minor(ledgerBalanceOf(lines)),
  entries: lines.map((line) => ({
    entryId: line.entryId,
    transactionId: line.transactionId,
    type: line.type,
    amount: minor(line.amountMinor),
    createdAt: line.createdAt.toISOString(),
  })),
});
