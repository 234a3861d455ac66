import { Injectable } from '@nestjs/common';
import type { ServicePostingResult } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, Logger } from '@payflow/service';

import { Bank } from '../clients/bank.js';
import { Ledger } from '../clients/clients.module.js';
import { availableAccount } from '../domain/accounts.js';
import {
  evolveWithdrawal,
  nextWithdrawStep,
  type Withdrawal,
  type WithdrawNews,
  type WithdrawPosting,
  type WithdrawStep,
} from '../domain/withdraw.js';
import type { TakenTimer } from '../store/timers.js';
import { findTransaction, type OwnedTransactionRow } from '../store/wallet-transactions.js';
import { raiseWalletException } from '../store/wallet-exceptions.js';
import { findWithdrawal, lockWithdrawal, storeWithdrawal, type WithdrawalRow } from '../store/wallet-withdrawals.js';
import { BankAccountSeal } from './bank-account-seal.js';
import { type MoneyToPost, withdrawalPosting } from './money-postings.js';
import { isInHands } from './money-timers.js';
import { recordWithdrawal } from './record-withdrawal.js';

/** More than the longest way: debit, pay, ask, cancel, post, come back. */
const STEPS_MAX = 10;

/** What was learned by a step, and what the ledger said of it where it was a posting. */
export interface Learned {
  readonly news: WithdrawNews;
  readonly posted?: { readonly transactionId: string; readonly at: Date; readonly balanceMinor: bigint | null };
}

export type Recorded =
  | { readonly kind: 'changed'; readonly before: Withdrawal }
  | { readonly kind: 'same' }
  /** Somebody else has it by now, or people must look. */
  | { readonly kind: 'stop' };

/**
 * Takes withdrawals as far as they go. Each step's effect is harmless when it happens twice, by its reference; each of its
 * results is recorded behind the row's lock, by the pure saga. So it does not matter who goes on with it, or how often.
 */
@Injectable()
export class WithdrawSaga {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly bank: Bank,
    private readonly seal: BankAccountSeal,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
  ) {}

  /**
   * Goes on until it has ended, or somebody outside has to be waited for.
   *
   * @param takenOver from a process that may have died in the middle of a step
   * @throws ServiceUnavailableError when the ledger does not answer
   */
  async goOn(timer: TakenTimer, takenOver: boolean): Promise<void> {
    const transactionId = timer.subjectId;
    let sentByOther = takenOver;
    for (let count = 0; count < STEPS_MAX; count += 1) {
      const [row, transaction] = await Promise.all([
        findWithdrawal(this.database, transactionId),
        findTransaction(this.database, transactionId),
      ]);
      if (row === undefined || transaction === undefined)
        throw new Error(`invariant: ${transactionId} is no withdrawal`);
      const step = nextWithdrawStep(row, sentByOther);
      if (step.kind === 'nothing') return;
      const learned = await this.take(step, row, transaction);
      const recorded = await this.record(transactionId, learned, timer);
      crashPoint('wallet.withdraw.after-outcome');
      if (recorded.kind === 'stop' || isToWaitFor(learned.news)) return;
      sentByOther = false;
    }
  }

  /** Records news, behind the row's lock. Without a timer: the bank's own word, whoever is working on it. */
  async record(transactionId: string, learned: Learned, timer: TakenTimer | undefined): Promise<Recorded> {
    return await this.database.transaction(async (tx): Promise<Recorded> => {
      const row = await lockWithdrawal(tx, transactionId);
      if (row === undefined || !(await isInHands(tx, timer))) return { kind: 'stop' };
      const evolved = evolveWithdrawal(row, learned.news);
      switch (evolved.kind) {
        case 'same':
          return evolved;
        case 'contradiction':
          await this.raise(tx, transactionId, evolved.detail);
          return { kind: 'stop' };
        case 'changed':
          await storeWithdrawal(tx, transactionId, evolved.withdrawal);
          await recordWithdrawal(tx, this.outbox, { row, after: evolved.withdrawal, learned });
          return { kind: 'changed', before: row };
      }
    });
  }

  private async raise(tx: Tx, transactionId: string, detail: string): Promise<void> {
    this.logger.error({ transactionId, detail }, 'a withdrawal contradicts itself');
    await raiseWalletException(tx, { transactionId, kind: 'contradiction', detail });
  }

  private async take(
    step: Exclude<WithdrawStep, { kind: 'nothing' }>,
    row: WithdrawalRow,
    transaction: OwnedTransactionRow,
  ): Promise<Learned> {
    const payout = {
      reference: transaction.id,
      amount: minorToJson(transaction.amountMinor),
      currency: transaction.currency,
    };
    switch (step.kind) {
      case 'post':
        return await this.post(step.posting, row, transaction);
      case 'pay': {
        if (row.accountSealed === null) throw new Error(`invariant: ${transaction.id} has no account to be paid to`);
        const creditor = this.seal.unseal(row.accountSealed, transaction.id);
        crashPoint('wallet.withdraw.before-bank');
        const { news } = await this.bank.pay({ ...payout, creditor });
        crashPoint('wallet.withdraw.after-bank');
        return { news };
      }
      case 'inquire':
        return { news: (await this.bank.inquire(payout)).news };
      case 'cancel':
        return { news: (await this.bank.cancel(payout)).news };
    }
  }

  private async post(kind: WithdrawPosting, row: WithdrawalRow, transaction: OwnedTransactionRow): Promise<Learned> {
    const money = moneyOf(transaction);
    const [result] = await this.ledger.post([withdrawalPosting(money, row.bank, kind)]);
    if (result === undefined) throw new Error('invariant: the ledger left a posting unanswered');
    crashPoint('wallet.withdraw.after-posting');
    return learnedFrom(result, kind, availableAccount(money.wallet));
  }
}

const moneyOf = ({ id, fromWalletId, fromOwnerId, amountMinor, currency }: OwnedTransactionRow): MoneyToPost => {
  if (fromWalletId === null || fromOwnerId === null) throw new Error(`invariant: ${id} leaves no wallet`);
  return { transactionId: id, wallet: { id: fromWalletId, ownerId: fromOwnerId }, amountMinor, currency };
};

const learnedFrom = (result: ServicePostingResult, posting: WithdrawPosting, account: string): Learned => {
  if (result.status === 'refused') return { news: { kind: 'posting_refused', posting, code: result.code } };
  const balance = result.balances.find(({ code }) => code === account)?.balance;
  return {
    news: { kind: 'posted', posting },
    posted: {
      transactionId: result.transactionId,
      at: new Date(result.postedAt),
      balanceMinor: balance === undefined ? null : BigInt(balance),
    },
  };
};

const isToWaitFor = (news: WithdrawNews): boolean =>
  news.kind === 'bank_silent' || (news.kind === 'bank_said' && news.status === 'ACCEPTED');
