import { Injectable } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import type { AddMoneyRequest, Principal } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, Idempotency, InjectConfig, Logger, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { BEGUN_ADDITION } from '../domain/add.js';
import { armTimers } from '../store/timers.js';
import { findAddition, insertAddition } from '../store/wallet-additions.js';
import { findTransaction, insertTransactions, type OwnedTransactionRow } from '../store/wallet-transactions.js';
import type { WalletConfig } from '../wallet.config.js';
import { AddSaga } from './add-saga.js';
import { MONEY_LEASE_MS, MoneyRequests } from './money-requests.js';
import { ownTimer, putOff } from './money-timers.js';
import { movementAnswer, nothingMoved } from './money-view.js';
import { MoneyWallets } from './money-wallets.js';
import { transactionEvent } from './publications.js';

/** POST /wallet/add: from a card or a bank to the caller's wallet. */
@Injectable()
export class AddMoney {
  constructor(
    private readonly database: Database,
    private readonly requests: MoneyRequests,
    private readonly wallets: MoneyWallets,
    private readonly saga: AddSaga,
    private readonly idempotency: Idempotency,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  async run(principal: Principal, meta: RequestMeta, body: AddMoneyRequest): Promise<StoredAnswer> {
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

  /** The first commit: what is to be added from what, with a timer in case this process dies. */
  private async begin(
    tx: Tx,
    transactionId: string,
    principal: Principal,
    body: AddMoneyRequest,
    asked: boolean,
  ): Promise<void> {
    const wallet = await this.wallets.lockOwn(tx, principal, body);
    const at = new Date();
    // Nothing leaves it: of the rules, those about its owner and its freeze are asked.
    this.wallets.spend(wallet, 0n, at, asked);
    await insertTransactions(tx, [
      {
        id: transactionId,
        type: 'ADD',
        fromWalletId: null,
        toWalletId: wallet.id,
        merchantId: null,
        paymentId: null,
        holdId: null,
        amountMinor: BigInt(body.amount),
        currency: wallet.currency,
        note: null,
        counterparty: null,
        requestedBy: principal.id,
        keyScope: null,
        key: null,
        spentOn: null,
        createdAt: at,
      },
    ]);
    await insertAddition(tx, {
      transactionId,
      ownerId: wallet.ownerId,
      paymentMethod: body.paymentMethod,
      returnUrl: body.returnUrl ?? null,
      stage: BEGUN_ADDITION.stage,
    });
    await armTimers(tx, [{ subjectId: transactionId, kind: 'add', dueAt: new Date(at.getTime() + MONEY_LEASE_MS) }]);
    const begun = await this.transactionOf(transactionId, tx);
    await this.outbox.publishFirst(tx, [transactionEvent(begun, at)]);
  }

  /** What cannot be finished now is finished by the timer, or by an event of the payment. */
  private async goOn(transactionId: string): Promise<void> {
    crashPoint('wallet.add.after-intent');
    const timer = ownTimer('add', transactionId);
    try {
      await this.saga.goOn(timer, false);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) throw error;
      this.logger.warn({ err: error, transactionId }, 'an addition waits for a service');
    }
    await putOff(this.database, timer, 0, this.config.WALLET_INQUIRY_DELAYS_SECONDS);
  }

  private async answer(transactionId: string): Promise<StoredAnswer> {
    const [row, addition] = await Promise.all([
      this.transactionOf(transactionId, this.database),
      findAddition(this.database, transactionId),
    ]);
    const neverPaid = addition?.stage === 'NOT_PAID' && addition.paymentId === null;
    return neverPaid ? nothingMoved(row, this.idempotency) : movementAnswer(row, addition?.nextAction ?? null);
  }

  private async transactionOf(transactionId: string, sql: Pick<Tx, 'query' | 'execute'>): Promise<OwnedTransactionRow> {
    const row = await findTransaction(sql, transactionId);
    if (row === undefined) throw new Error(`invariant: ${transactionId} has no transaction`);
    return row;
  }
}
