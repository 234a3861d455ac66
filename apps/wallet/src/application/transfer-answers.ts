import type { TransferAnswer } from '@payflow/contracts';
import {
  type Context,
  type Idempotency,
  Problem,
  runInContext,
  type StoredAnswer,
  storedAnswer,
} from '@payflow/service';

import type { OwnedTransactionRow } from '../store/wallet-transactions.js';

/** A transfer as its sender sees it. */
export const transferView = (row: OwnedTransactionRow, claimExpiresAt: Date | undefined): TransferAnswer => ({
  success: row.status === 'SUCCESS',
  transactionId: row.id as TransferAnswer['transactionId'],
  type: row.type,
  status: row.status,
  reason: row.reason,
  fromWalletId: row.fromWalletId,
  toWalletId: row.toWalletId,
  amount: Number(row.amountMinor),
  currency: row.currency,
  note: row.note,
  createdAt: row.createdAt.toISOString(),
  completedAt: row.completedAt?.toISOString() ?? null,
  balanceAfter: row.fromBalanceAfter === null ? null : Number(row.fromBalanceAfter),
  ...(claimExpiresAt === undefined ? {} : { claimExpiresAt: claimExpiresAt.toISOString() }),
});

/** 200 when the money has moved, 202 while it is PENDING, a problem when it FAILED. */
export const transferAnswer = (
  row: OwnedTransactionRow,
  claimExpiresAt: Date | undefined,
  idempotency: Idempotency,
  context: Context,
): StoredAnswer => {
  if (row.status === 'FAILED') {
    const problem = failedTransfer(row);
    return runInContext(context, () => idempotency.storedProblem(problem));
  }
  return storedAnswer({
    status: row.status === 'SUCCESS' ? 200 : 202,
    body: transferView(row, claimExpiresAt),
    headers: { location: `/transactions/${row.id}` },
  });
};

/** Why nothing has moved, with the transaction that keeps it in the history. */
export const failedTransfer = (row: Pick<OwnedTransactionRow, 'id' | 'reason'>): Problem => {
  const extensions = { transactionId: row.id };
  switch (row.reason) {
    case 'insufficient_funds':
      return new Problem('insufficient_funds', { detail: 'The wallet holds less than that.', extensions });
    case 'balance_out_of_range':
      return new Problem('balance_out_of_range', { extensions });
    case 'ledger_unavailable':
      return new Problem('dependency_unavailable', {
        detail: 'The ledger does not answer; nothing was moved.',
        extensions,
      });
    default:
      return new Problem('wallet_unavailable', {
        detail: `Nothing was moved: ${row.reason ?? 'unknown'}.`,
        extensions,
      });
  }
};
