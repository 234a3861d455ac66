import type { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { disarmTimers } from '../store/timers.js';
import { giveQrBack } from '../store/wallet-pays.js';
import { lockTransaction, settleTransactions } from '../store/wallet-transactions.js';
import { touchWallets } from '../store/wallets.js';
import { transactionEvent } from './publications.js';

/** The timer of a payment that its owner asked for. */
export const PAY_TIMER = 'pay';

/** A payment that the owner asked for has come to nothing: nothing of it was taken, and its code may be paid again. */
export const failPay = async (tx: Tx, outbox: Outbox, transactionId: string, reason: string): Promise<void> => {
  const before = await lockTransaction(tx, transactionId);
  if (before?.status !== 'PENDING' || before.fromWalletId === null) return;
  const at = new Date();
  await settleTransactions(tx, [
    {
      id: transactionId,
      status: 'FAILED',
      reason,
      fromBalanceAfter: null,
      toBalanceAfter: null,
      ledgerTransactionId: null,
      postedAt: null,
      completedAt: at,
    },
  ]);
  await giveQrBack(tx, transactionId);
  await touchWallets(tx, [before.fromWalletId]);
  await disarmTimers(tx, PAY_TIMER, [transactionId]);
  const after = await lockTransaction(tx, transactionId);
  if (after !== undefined) await outbox.publish(tx, [transactionEvent(after, at)]);
};
