import { Injectable } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import type { Principal, WithdrawRequest } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import {
  crashPoint,
  Idempotency,
  InjectConfig,
  Logger,
  Problem,
  type RequestMeta,
  type StoredAnswer,
} from '@payflow/service';

import { type BankAccount, maskedBankAccount, readBankAccount } from '../domain/bank-account.js';
import { BEGUN_WITHDRAWAL } from '../domain/withdraw.js';
import { armTimers } from '../store/timers.js';
import { findTransaction, insertTransactions, type OwnedTransactionRow } from '../store/wallet-transactions.js';
import { findWithdrawal, insertWithdrawal } from '../store/wallet-withdrawals.js';
import { countSpending } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { BankAccountSeal } from './bank-account-seal.js';
import { MONEY_LEASE_MS, MoneyRequests } from './money-requests.js';
import { ownTimer, putOff } from './money-timers.js';
import { movementAnswer, nothingMoved } from './money-view.js';
import { MoneyWallets } from './money-wallets.js';
import { transactionEvent } from './publications.js';
import { WithdrawSaga } from './withdraw-saga.js';

/** POST /wallet/withdraw: from the caller's wallet to a bank account. */
@Injectable()
export class WithdrawMoney {
  constructor(
    private readonly database: Database,
    private readonly requests: MoneyRequests,
    private readonly wallets: MoneyWallets,
    private readonly saga: WithdrawSaga,
    private readonly seal: BankAccountSeal,
    private readonly idempotency: Idempotency,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  async run(principal: Principal, meta: RequestMeta, body: WithdrawRequest): Promise<StoredAnswer> {
    return await this.requests.run({
      principal,
      meta,
      body,
      begin: async (tx, transactionId, asked) => {
        await this.begin(tx, transactionId, principal, body, asked);
      },
      goOn: async (transactionId, isNew) => {
        // One that was begun before has a timer that others take up; here its standing is told.
        if (isNew) await this.goOn(transactionId);
      },
      answer: async (transactionId) => await this.answer(transactionId),
    });
  }

  /** The first commit: what is to be paid to whom, counted on the wallet's day, with a timer in case this process dies. */
  private async begin(
    tx: Tx,
    transactionId: string,
    principal: Principal,
    body: WithdrawRequest,
    asked: boolean,
  ): Promise<void> {
    const account = checked(body.bankAccount);
    const wallet = await this.wallets.lockOwn(tx, principal, body);
    const amountMinor = BigInt(body.amount);
    const at = new Date();
    const spending = this.wallets.spend(wallet, amountMinor, at, asked);
    const { currency } = wallet;
    await insertTransactions(tx, [
      {
        id: transactionId,
        type: 'WITHDRAW',
        fromWalletId: wallet.id,
        toWalletId: null,
        merchantId: null,
        paymentId: null,
        holdId: null,
        amountMinor,
        currency,
        note: null,
        counterparty: maskedBankAccount(account),
        requestedBy: principal.id,
        keyScope: null,
        key: null,
        spentOn: spending.day,
        createdAt: at,
      },
    ]);
    await insertWithdrawal(tx, {
      transactionId,
      bank: this.config.BANK_NAME,
      accountSealed: this.seal.seal(account, transactionId),
      stage: BEGUN_WITHDRAWAL.stage,
    });
    await countSpending(tx, [spending]);
    await armTimers(tx, [
      { subjectId: transactionId, kind: 'withdraw', dueAt: new Date(at.getTime() + MONEY_LEASE_MS) },
    ]);
    const begun = await this.transactionOf(transactionId, tx);
    await this.outbox.publishFirst(tx, [transactionEvent(begun, at)]);
  }

  /** What cannot be finished now is finished by the timer. */
  private async goOn(transactionId: string): Promise<void> {
    crashPoint('wallet.withdraw.after-intent');
    const timer = ownTimer('withdraw', transactionId);
    try {
      await this.saga.goOn(timer, false);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) throw error;
      this.logger.warn({ err: error, transactionId }, 'a withdrawal waits for a service');
    }
    await putOff(this.database, timer, 0, this.config.WALLET_INQUIRY_DELAYS_SECONDS);
  }

  private async answer(transactionId: string): Promise<StoredAnswer> {
    const [row, withdrawal] = await Promise.all([
      this.transactionOf(transactionId, this.database),
      findWithdrawal(this.database, transactionId),
    ]);
    return withdrawal?.stage === 'NOT_DEBITED' ? nothingMoved(row, this.idempotency) : movementAnswer(row);
  }

  private async transactionOf(transactionId: string, sql: Pick<Tx, 'query' | 'execute'>): Promise<OwnedTransactionRow> {
    const row = await findTransaction(sql, transactionId);
    if (row === undefined) throw new Error(`invariant: ${transactionId} has no transaction`);
    return row;
  }
}

/** @throws Problem bank_account_invalid */
const checked = (written: WithdrawRequest['bankAccount']): BankAccount => {
  const account = readBankAccount(written);
  if (account !== undefined) return account;
  const field = 'iban' in written ? 'iban' : 'routingNumber';
  throw new Problem('bank_account_invalid', {
    detail:
      'iban' in written
        ? 'The IBAN is wrong: its length, its structure or its check digits.'
        : 'The routing number is wrong: its check digit.',
    errors: [{ pointer: `/bankAccount/${field}`, code: 'invalid', message: 'is not valid' }],
  });
};
