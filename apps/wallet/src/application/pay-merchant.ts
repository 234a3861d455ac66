import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RemoteProblem, ServiceUnavailableError } from '@payflow/clients';
import {
  type PaymentResponse,
  type Principal,
  type ProblemCode,
  PROBLEMS,
  type WalletPaid,
  type WalletPayRequest,
} from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
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
  storedAnswer,
} from '@payflow/service';

import { MerchantsAtAuth } from '../clients/merchants-at-auth.js';
import { PaymentsClient } from '../clients/payments-client.js';
import { armTimers, type TakenTimer } from '../store/timers.js';
import { findPay, insertPay, linkPayment, takeQr } from '../store/wallet-pays.js';
import {
  findTransaction,
  insertTransactions,
  lockTransaction,
  type OwnedTransactionRow,
} from '../store/wallet-transactions.js';
import type { WalletConfig } from '../wallet.config.js';
import { failPay, PAY_TIMER } from './end-pay.js';
import { MONEY_LEASE_MS, MoneyRequests } from './money-requests.js';
import { MoneyWallets } from './money-wallets.js';
import { transactionEvent } from './publications.js';
import { QrCodes } from './qr-codes.js';
import { seenPayment } from './seen-payment.js';
import { Timers } from './timers.js';

const CONFLICT = 409;
const PAYS_MAX = 8;
const MS_PER_SECOND = 1_000;

/** What is to be paid, by what the caller or the merchant's code says. */
interface Sale {
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string | undefined;
  readonly reference: string | null;
  readonly nonce: string | null;
}

/**
 * POST /wallet/pay: a sale in the merchant's name, by the wallet's own payment method. The transaction is the consent: the
 * payment names it, and the wallet's order takes money only for a transaction that its owner has begun and that still waits.
 * So it is safe to give one up: a payment that comes later is declined.
 */
@Injectable()
export class PayMerchant implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly requests: MoneyRequests,
    private readonly wallets: MoneyWallets,
    private readonly payments: PaymentsClient,
    private readonly merchants: MerchantsAtAuth,
    private readonly codes: QrCodes,
    private readonly idempotency: Idempotency,
    private readonly outbox: Outbox,
    private readonly timers: Timers,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  onModuleInit(): void {
    const handle = async (taken: readonly TakenTimer[]): Promise<readonly TakenTimer[]> => {
      const open = await Promise.all(
        taken.map(async (timer) => ((await this.resolve(timer.subjectId)) ? [] : [timer])),
      );
      return open.flat();
    };
    this.timers.handle({ kind: PAY_TIMER, leaseMs: MONEY_LEASE_MS, takenMax: PAYS_MAX, handle });
  }

  async run(principal: Principal, meta: RequestMeta, body: WalletPayRequest): Promise<StoredAnswer> {
    // Asked before the transaction, judged inside it: a repetition is answered even if the code has expired by now.
    const sale = await this.saleOf(body);
    return await this.requests.run({
      principal,
      meta,
      body,
      begin: async (tx, transactionId, asked) => {
        if (sale instanceof Problem) throw sale;
        await this.begin(tx, transactionId, principal, body, sale, asked);
      },
      goOn: async (transactionId, isNew) => {
        crashPoint('wallet.pay.after-intent');
        // One that was begun before has a timer that others take up; here its standing is told.
        if (isNew) await this.resolve(transactionId);
      },
      answer: async (transactionId) => this.answerOf(await this.transactionOf(transactionId)),
    });
  }

  /** @throws ServiceUnavailableError */
  private async saleOf(body: WalletPayRequest): Promise<(Sale & { readonly merchantName: string }) | Problem> {
    try {
      const sale = this.asked(body);
      const merchantName = await this.merchants.payableName(sale.merchantId);
      return merchantName === undefined ? new Problem('merchant_unavailable') : { ...sale, merchantName };
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  }

  private asked(body: WalletPayRequest): Sale {
    if (!('qr' in body)) {
      const { merchantId, amount, currency, reference } = body;
      return { merchantId, amountMinor: BigInt(amount), currency, reference: reference ?? null, nonce: null };
    }
    const code = this.codes.read(body.qr);
    const amountMinor = code.amountMinor ?? (body.amount === undefined ? undefined : BigInt(body.amount));
    if (amountMinor === undefined || (body.amount !== undefined && BigInt(body.amount) !== amountMinor))
      throw new Problem('qr_code_invalid', {
        detail: amountMinor === undefined ? 'The code leaves the amount open.' : 'The code asks for another amount.',
        errors: [{ pointer: '/amount', code: 'amount', message: 'is not what the code asks for' }],
      });
    return { ...code, amountMinor };
  }

  private async begin(
    tx: Tx,
    transactionId: string,
    principal: Principal,
    { walletId, description }: WalletPayRequest,
    sale: Sale & { readonly merchantName: string },
    asked: boolean,
  ): Promise<void> {
    const { merchantId, amountMinor, currency, reference, nonce } = sale;
    const wallet = await this.wallets.lockOwn(tx, principal, { walletId, currency });
    const at = new Date();
    // Refused here where it can be; what is counted on the day, the payment's hold counts.
    this.wallets.spend(wallet, amountMinor, at, asked);
    await insertTransactions(tx, [
      {
        id: transactionId,
        type: 'PAY',
        fromWalletId: wallet.id,
        toWalletId: null,
        merchantId,
        paymentId: null,
        holdId: null,
        amountMinor,
        currency: wallet.currency,
        note: description ?? null,
        counterparty: sale.merchantName,
        requestedBy: principal.id,
        keyScope: null,
        key: null,
        spentOn: null,
        createdAt: at,
      },
    ]);
    await insertPay(tx, transactionId, { reference, description: description ?? null });
    if (nonce !== null && !(await takeQr(tx, nonce, transactionId))) throw new Problem('qr_code_used');
    await armTimers(tx, [
      { subjectId: transactionId, kind: PAY_TIMER, dueAt: new Date(at.getTime() + MONEY_LEASE_MS) },
    ]);
    const begun = await lockTransaction(tx, transactionId);
    if (begun !== undefined) await this.outbox.publishFirst(tx, [transactionEvent(begun, at)]);
  }

  /** Asks for the payment, which is made once however often, and learns how it stands. @returns whether it has ended */
  private async resolve(transactionId: string): Promise<boolean> {
    const before = await this.transactionOf(transactionId);
    if (before.status !== 'PENDING') return true;
    try {
      const payment = await this.ask(before);
      if (payment === undefined) await this.fail(transactionId, 'payment_not_made');
      else await this.learn(before, payment);
    } catch (error) {
      if (error instanceof ServiceUnavailableError) {
        this.logger.warn({ err: error, transactionId }, 'a payment from a wallet waits for a service');
      } else if (error instanceof RemoteProblem && error.status !== CONFLICT) {
        await this.fail(transactionId, error.code);
      } else if (!(error instanceof RemoteProblem)) throw error;
    }
    return (await this.transactionOf(transactionId)).status !== 'PENDING';
  }

  /** Undefined: it was not made in good time, and from now on it would be declined. */
  private async ask(row: OwnedTransactionRow): Promise<PaymentResponse | undefined> {
    if (row.paymentId !== null) return await this.payments.sync(row.paymentId, `${row.id}:sync:${String(Date.now())}`);
    if (Date.now() - row.createdAt.getTime() > this.config.WALLET_ADD_RESEND_SECONDS * MS_PER_SECOND) return undefined;
    const pay = await findPay(this.database, row.id);
    const { merchantId, fromWalletId, fromOwnerId } = row;
    if (merchantId === null || fromWalletId === null || fromOwnerId === null)
      throw new Error(`invariant: ${row.id} pays no merchant`);
    return await this.payments.pay(row.id, {
      merchantId: merchantId as `mer_${string}`,
      amount: minorToJson(row.amountMinor),
      currency: row.currency,
      userId: fromOwnerId,
      paymentMethod: { type: 'wallet', walletId: fromWalletId, consent: row.id as `txn_${string}` },
      ...(pay?.reference == null ? {} : { reference: pay.reference }),
      ...(pay?.description == null ? {} : { description: pay.description }),
    });
  }

  private async learn(before: OwnedTransactionRow, payment: PaymentResponse): Promise<void> {
    const { standing, reason } = seenPayment(payment, before.amountMinor);
    await this.database.transaction(async (tx) => {
      const row = await lockTransaction(tx, before.id);
      if (row?.paymentId === null) await linkPayment(tx, before.id, { paymentId: payment.paymentId, holdId: null });
      if (standing === 'failed') await failPay(tx, this.outbox, before.id, reason ?? 'payment_failed');
    });
  }

  /** Money that is held for it by now says otherwise: then the end of its hold is its end. */
  private async fail(transactionId: string, reason: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const row = await lockTransaction(tx, transactionId);
      if (row?.holdId === null) await failPay(tx, this.outbox, transactionId, reason);
    });
  }

  private answerOf(row: OwnedTransactionRow): StoredAnswer {
    if (row.status === 'FAILED') return this.idempotency.storedProblem(problemOf(row));
    return storedAnswer({
      status: row.status === 'PENDING' ? 202 : 201,
      body: paidView(row),
      headers: { location: `/transactions/${row.id}` },
    });
  }

  private async transactionOf(transactionId: string): Promise<OwnedTransactionRow> {
    const row = await findTransaction(this.database, transactionId);
    if (row === undefined) throw new Error(`invariant: ${transactionId} has no transaction`);
    return row;
  }
}

const paidView = (row: OwnedTransactionRow): WalletPaid => ({
  transactionId: row.id as WalletPaid['transactionId'],
  status: row.status,
  reason: row.reason,
  paymentId: row.paymentId,
  merchantId: row.merchantId ?? '',
  walletId: row.fromWalletId ?? '',
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  balanceAfter: row.fromBalanceAfter === null ? null : minorToJson(row.fromBalanceAfter),
  createdAt: row.createdAt.toISOString(),
  completedAt: row.completedAt?.toISOString() ?? null,
});

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** Why nothing was paid, with the payment that shows it to the merchant. */
const problemOf = ({ id, paymentId, reason }: OwnedTransactionRow): Problem => {
  const extensions = { transactionId: id, ...(paymentId === null ? {} : { paymentId }) };
  if (reason === 'insufficient_funds')
    return new Problem('insufficient_funds', { detail: 'The wallet holds less than that.', extensions });
  if (reason !== null && isProblemCode(reason)) return new Problem(reason, { extensions });
  return new Problem('merchant_unavailable', { detail: `Nothing was paid: ${reason ?? 'unknown'}.`, extensions });
};
