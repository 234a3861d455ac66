import { Injectable } from '@nestjs/common';
import { RemoteProblem, ServiceUnavailableError } from '@payflow/clients';
import type { MoneyMovement, PaymentResponse } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig } from '@payflow/service';

import { Ledger } from '../clients/clients.module.js';
import { PaymentsClient } from '../clients/payments-client.js';
import { availableAccount } from '../domain/accounts.js';
import { type Addition, type AddNews, addStatus, type AddStep, evolveAddition, nextAddStep } from '../domain/add.js';
import { disarmTimers, type TakenTimer } from '../store/timers.js';
import { type AdditionRow, findAddition, lockAddition, storeAddition } from '../store/wallet-additions.js';
import { endStuck } from '../store/wallet-exceptions.js';
import {
  findTransaction,
  lockTransaction,
  type OwnedTransactionRow,
  settleTransactions,
} from '../store/wallet-transactions.js';
import { touchWallets } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { additionPosting, type MoneyToPost } from './money-postings.js';
import { isInHands } from './money-timers.js';
import { transactionEvent } from './publications.js';
import { seenPayment } from './seen-payment.js';

/** More than the longest way: pay, look, post, refund. */
const STEPS_MAX = 6;
const MS_PER_SECOND = 1_000;

/** What was learned by a step, and what the ledger said of it where it was the posting. */
interface Learned {
  readonly news: AddNews;
  readonly nextAction?: MoneyMovement['nextAction'];
  readonly posted?: { readonly transactionId: string; readonly at: Date; readonly balanceMinor: bigint | null };
}

/** Takes additions as far as they go, as withdrawals are. A second payment is kept out by its key and its reference. */
@Injectable()
export class AddSaga {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly payments: PaymentsClient,
    private readonly outbox: Outbox,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /**
   * Goes on until it has ended, or somebody outside has to be waited for.
   *
   * @param takenOver from a process that may have died in the middle of a step
   * @throws ServiceUnavailableError when the ledger does not answer
   */
  async goOn(timer: TakenTimer, takenOver: boolean): Promise<void> {
    const transactionId = timer.subjectId;
    let perhapsPaidBefore = takenOver;
    for (let count = 0; count < STEPS_MAX; count += 1) {
      const [row, transaction] = await Promise.all([
        findAddition(this.database, transactionId),
        findTransaction(this.database, transactionId),
      ]);
      if (row === undefined || transaction === undefined) throw new Error(`invariant: ${transactionId} is no addition`);
      const step = nextAddStep(row, perhapsPaidBefore);
      if (step.kind === 'nothing') return;
      const learned = await this.take(step, row, transaction);
      if (isToWaitFor(learned.news)) {
        await this.record(transactionId, learned, timer);
        return;
      }
      if ((await this.record(transactionId, learned, timer)) !== 'changed') return;
      perhapsPaidBefore = false;
    }
  }

  private async take(
    step: Exclude<AddStep, { kind: 'nothing' }>,
    row: AdditionRow,
    transaction: OwnedTransactionRow,
  ): Promise<Learned> {
    switch (step.kind) {
      case 'pay': {
        const learned = await this.pay(step.perhapsPaidBefore, row, transaction);
        crashPoint('wallet.add.after-payment');
        return learned;
      }
      case 'look':
        return await this.ask(transaction, async () => await this.payments.read(step.paymentId));
      case 'post':
        return await this.post(row, transaction);
      case 'refund':
        return await this.refund(step.paymentId, row);
    }
  }

  /** The same request again is answered with the same payment; one that is too old is only looked for. */
  private async pay(perhapsPaidBefore: boolean, row: AdditionRow, transaction: OwnedTransactionRow): Promise<Learned> {
    const ageMs = Date.now() - transaction.createdAt.getTime();
    if (perhapsPaidBefore && ageMs > this.config.WALLET_ADD_RESEND_SECONDS * MS_PER_SECOND)
      return await this.find(transaction);
    const sale = {
      amount: minorToJson(transaction.amountMinor),
      currency: transaction.currency,
      userId: row.ownerId,
      paymentMethod: row.paymentMethod,
      description: 'Money added to a wallet',
      metadata: { walletTransactionId: transaction.id },
      ...(row.returnUrl === null ? {} : { returnUrl: row.returnUrl }),
    };
    const learned = await this.ask(transaction, async () => await this.payments.sell(transaction.id, sale));
    if (learned.news.kind !== 'payment_refused' || !perhapsPaidBefore) return learned;
    // Now it would not be made; nobody has heard yet what became of the request before.
    const found = await this.find(transaction);
    return found.news.kind === 'payment_given_up' ? learned : found;
  }

  private async find(transaction: OwnedTransactionRow): Promise<Learned> {
    try {
      const payment = await this.payments.find(transaction.id);
      return payment === undefined ? { news: { kind: 'payment_given_up' } } : learnedFrom(payment, transaction);
    } catch (error) {
      if (error instanceof ServiceUnavailableError) return { news: { kind: 'payment_silent' } };
      throw error;
    }
  }

  private async ask(transaction: OwnedTransactionRow, call: () => Promise<PaymentResponse>): Promise<Learned> {
    try {
      return learnedFrom(await call(), transaction);
    } catch (error) {
      if (error instanceof ServiceUnavailableError) return { news: { kind: 'payment_silent' } };
      if (!(error instanceof RemoteProblem)) throw error;
      // Its twin, perhaps our own, is running.
      if (error.status === CONFLICT) return { news: { kind: 'payment_silent' } };
      return { news: { kind: 'payment_refused', code: error.code } };
    }
  }

  private async post({ paymentId }: AdditionRow, transaction: OwnedTransactionRow): Promise<Learned> {
    if (paymentId === null) throw new Error(`invariant: ${transaction.id} has no payment`);
    const money = moneyOf(transaction);
    const [result] = await this.ledger.post([additionPosting(money, paymentId)]);
    if (result === undefined) throw new Error('invariant: the ledger left a posting unanswered');
    crashPoint('wallet.add.after-posting');
    if (result.status === 'refused') return { news: { kind: 'posting_refused', code: result.code } };
    const balance = result.balances.find(({ code }) => code === availableAccount(money.wallet))?.balance;
    return {
      news: { kind: 'posted' },
      posted: {
        transactionId: result.transactionId,
        at: new Date(result.postedAt),
        balanceMinor: balance === undefined ? null : BigInt(balance),
      },
    };
  }

  /** Once the payment service has it, the refund has a life of its own there. */
  private async refund(paymentId: string, { transactionId, reason }: AdditionRow): Promise<Learned> {
    try {
      await this.payments.refund(transactionId, paymentId, `Not added to the wallet: ${reason ?? 'refused'}`);
      return { news: { kind: 'refunded' } };
    } catch (error) {
      if (error instanceof ServiceUnavailableError) return { news: { kind: 'payment_silent' } };
      throw error;
    }
  }

  private async record(
    transactionId: string,
    learned: Learned,
    timer: TakenTimer,
  ): Promise<'changed' | 'same' | 'stop'> {
    return await this.database.transaction(async (tx) => {
      const row = await lockAddition(tx, transactionId);
      if (row === undefined || !(await isInHands(tx, timer))) return 'stop';
      const evolved = evolveAddition(row, learned.news);
      if (evolved.kind === 'changed' || learned.nextAction !== undefined) {
        const after = evolved.kind === 'changed' ? evolved.addition : row;
        await storeAddition(tx, transactionId, after, learned.nextAction ?? null);
        if (evolved.kind === 'changed') await this.recordEnd(tx, transactionId, after, learned);
      }
      return evolved.kind;
    });
  }

  private async recordEnd(tx: Tx, transactionId: string, after: Addition, { posted }: Learned): Promise<void> {
    const status = addStatus(after);
    if (status === 'PENDING') return;
    const transaction = await lockTransaction(tx, transactionId);
    if (transaction?.toWalletId == null) throw new Error(`invariant: ${transactionId} comes to no wallet`);
    const at = new Date();
    await settleTransactions(tx, [
      {
        id: transactionId,
        status,
        reason: status === 'FAILED' ? (after.reason ?? 'payment_failed') : null,
        fromBalanceAfter: null,
        toBalanceAfter: posted?.balanceMinor ?? null,
        ledgerTransactionId: posted?.transactionId ?? null,
        postedAt: posted?.at ?? null,
        completedAt: at,
      },
    ]);
    await touchWallets(tx, [transaction.toWalletId]);
    await disarmTimers(tx, 'add', [transactionId]);
    await endStuck(tx, transactionId, `It has ended: ${status}.`);
    const ended = await lockTransaction(tx, transactionId);
    if (ended !== undefined) await this.outbox.publish(tx, [transactionEvent(ended, at)]);
  }
}

const CONFLICT = 409;

/** @throws when the payment is not the one that was asked for */
const learnedFrom = (payment: PaymentResponse, { id, amountMinor, currency }: OwnedTransactionRow): Learned => {
  if (BigInt(payment.amount) !== amountMinor || payment.currency !== currency || payment.reference !== id)
    throw new Error(`invariant: ${payment.paymentId} is not the payment of ${id}`);
  const news: AddNews = { kind: 'payment', payment: seenPayment(payment, amountMinor) };
  return { news, nextAction: payment.nextAction };
};

const moneyOf = ({ id, toWalletId, toOwnerId, amountMinor, currency }: OwnedTransactionRow): MoneyToPost => {
  if (toWalletId === null || toOwnerId === null) throw new Error(`invariant: ${id} comes to no wallet`);
  return { transactionId: id, wallet: { id: toWalletId, ownerId: toOwnerId }, amountMinor, currency };
};

const isToWaitFor = (news: AddNews): boolean =>
  news.kind === 'payment_silent' || (news.kind === 'payment' && news.payment.standing === 'open');
