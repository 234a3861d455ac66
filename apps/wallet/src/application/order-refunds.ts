import { Injectable, type OnModuleInit } from '@nestjs/common';
import { minorToJson } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { Ledger } from '../clients/clients.module.js';
import { availableAccount, postingReference, WALLET_RECEIVABLE } from '../domain/accounts.js';
import { disarmTimers, type TakenTimer } from '../store/timers.js';
import { endOrders } from '../store/wallet-orders.js';
import { findTransaction, lockTransaction, settleTransactions } from '../store/wallet-transactions.js';
import { touchWallets } from '../store/wallets.js';
import { transactionEvent } from './publications.js';
import { Timers } from './timers.js';

/** Of a refund that is decided and perhaps not posted. */
export const REFUND_TIMER = 'refund';
const LEASE_MS = 30_000;
const TAKEN_MAX = 50;

/** Money that merchants give back: the posting of a REFUND, and the commit with what the ledger said. */
@Injectable()
export class OrderRefunds implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly outbox: Outbox,
    private readonly timers: Timers,
  ) {}

  onModuleInit(): void {
    const handle = async (taken: readonly TakenTimer[]): Promise<readonly TakenTimer[]> => {
      for (const { subjectId } of taken) await this.carryOut(subjectId);
      return [];
    };
    this.timers.handle({ kind: REFUND_TIMER, leaseMs: LEASE_MS, takenMax: TAKEN_MAX, handle });
  }

  /** Any number of times: the reference posts once. @throws ServiceUnavailableError */
  async carryOut(transactionId: string): Promise<void> {
    const row = await findTransaction(this.database, transactionId);
    if (row?.status !== 'PENDING') return;
    const { toWalletId, toOwnerId, currency, amountMinor, merchantId, paymentId } = row;
    if (toWalletId === null || toOwnerId === null) throw new Error(`invariant: ${transactionId} comes to no wallet`);
    const own = availableAccount({ id: toWalletId, ownerId: toOwnerId });
    const [result] = await this.ledger.post([
      {
        reference: postingReference(transactionId),
        type: 'REFUND',
        postings: [{ from: WALLET_RECEIVABLE, to: own, amount: minorToJson(amountMinor), currency }],
        accounts: [
          { code: WALLET_RECEIVABLE, currency, floor: null },
          { code: own, currency, floor: 0 },
        ],
        merchantId,
        paymentId,
      },
    ]);
    if (result === undefined) throw new Error('invariant: the ledger left a posting unanswered');
    if (result.status === 'refused' && result.code === 'reference_taken')
      throw new Error(`invariant: ${transactionId} was posted with other content`);
    crashPoint('wallet.order.after-posting');
    const posted = result.status === 'posted' ? result : undefined;
    const refusal = result.status === 'refused' ? result.code : null;
    const balance = posted?.balances.find(({ code }) => code === own)?.balance;
    const at = posted === undefined ? new Date() : new Date(posted.postedAt);
    await this.database.transaction(async (tx) => {
      // Somebody else has recorded it.
      if ((await lockTransaction(tx, transactionId))?.status !== 'PENDING') return;
      await endOrders(tx, { transactionId }, refusal);
      await disarmTimers(tx, REFUND_TIMER, [transactionId]);
      await touchWallets(tx, [toWalletId]);
      await settleTransactions(tx, [
        {
          id: transactionId,
          status: posted === undefined ? 'FAILED' : 'SUCCESS',
          reason: refusal,
          fromBalanceAfter: null,
          toBalanceAfter: balance === undefined ? null : BigInt(balance),
          ledgerTransactionId: posted?.transactionId ?? null,
          postedAt: posted === undefined ? null : at,
          completedAt: at,
        },
      ]);
      const ended = await lockTransaction(tx, transactionId);
      if (ended !== undefined) await this.outbox.publish(tx, [transactionEvent(ended, at)]);
    });
  }
}
