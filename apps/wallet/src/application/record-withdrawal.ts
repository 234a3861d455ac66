import type { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { type Withdrawal, withdrawStatus } from '../domain/withdraw.js';
import { armTimers, disarmTimers } from '../store/timers.js';
import { endStuck } from '../store/wallet-exceptions.js';
import {
  endTransaction,
  lockTransaction,
  type OwnedTransactionRow,
  settleTransactions,
} from '../store/wallet-transactions.js';
import type { WithdrawalRow } from '../store/wallet-withdrawals.js';
import { touchWallets } from '../store/wallets.js';
import { transactionEvent } from './publications.js';
import type { Learned } from './withdraw-saga.js';

interface Change {
  readonly row: WithdrawalRow;
  readonly after: Withdrawal;
  readonly learned: Learned;
}

/** What a withdrawal's new stage means for its transaction, its wallet, its timer, and those who are told. */
export const recordWithdrawal = async (tx: Tx, outbox: Outbox, { row, after, learned }: Change): Promise<void> => {
  const { transactionId } = row;
  const transaction = await lockTransaction(tx, transactionId);
  if (transaction === undefined) throw new Error(`invariant: ${transactionId} has no transaction`);
  await recordPosting(tx, transaction, after, learned);
  const status = withdrawStatus(after);
  if (status === 'PENDING') {
    // It had ended, and the bank says that it came back: somebody has to go on with it.
    if (withdrawStatus(row) !== 'PENDING')
      await armTimers(tx, [{ subjectId: transactionId, kind: 'withdraw', dueAt: new Date() }]);
    return;
  }
  await disarmTimers(tx, 'withdraw', [transactionId]);
  await endStuck(tx, transactionId, `It has ended: ${status}.`);
  const ended = await lockTransaction(tx, transactionId);
  if (ended !== undefined) await outbox.publish(tx, [transactionEvent(ended, new Date())]);
};

const recordPosting = async (
  tx: Tx,
  transaction: OwnedTransactionRow,
  after: Withdrawal,
  { news, posted }: Learned,
): Promise<void> => {
  const at = new Date();
  const { id, fromWalletId } = transaction;
  if (fromWalletId === null) throw new Error(`invariant: ${id} leaves no wallet`);
  if (after.stage === 'NOT_DEBITED') {
    await settleTransactions(tx, [
      {
        id,
        status: 'FAILED',
        reason: after.reason ?? 'posting_refused',
        fromBalanceAfter: null,
        toBalanceAfter: null,
        ledgerTransactionId: null,
        postedAt: null,
        completedAt: at,
      },
    ]);
    await touchWallets(tx, [fromWalletId], givenBack(transaction, fromWalletId));
    return;
  }
  if (news.kind !== 'posted' || posted === undefined) return;
  switch (news.posting) {
    case 'debit':
      await settleTransactions(tx, [
        {
          id,
          status: 'PENDING',
          reason: null,
          fromBalanceAfter: posted.balanceMinor,
          toBalanceAfter: null,
          ledgerTransactionId: posted.transactionId,
          postedAt: posted.at,
          completedAt: null,
        },
      ]);
      await touchWallets(tx, [fromWalletId]);
      return;
    case 'paid':
      if (after.stage !== 'PAID') return;
      await endTransaction(tx, { ...END, id, status: 'SUCCESS', reason: null, reversedAt: null, completedAt: at });
      return;
    case 'reversal':
    case 'returned':
      await endTransaction(tx, {
        ...END,
        id,
        status: 'FAILED',
        reason: after.reason ?? 'payout_refused',
        reversedAt: posted.at,
        completedAt: at,
      });
      await touchWallets(tx, [fromWalletId], givenBack(transaction, fromWalletId));
  }
};

/** A withdrawal has no receiving wallet. */
const END = { toWalletId: null, toBalanceAfter: null } as const;

const givenBack = ({ spentOn, amountMinor }: OwnedTransactionRow, walletId: string) =>
  spentOn === null ? [] : [{ walletId, day: spentOn, amountMinor }];
