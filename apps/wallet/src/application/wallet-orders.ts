import { Injectable } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import type { AcquirerOperation, WalletOrderRequest } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger, Problem } from '@payflow/service';

import { decideSpending } from '../domain/spending.js';
import {
  decideCapture,
  decideRefund,
  decideReversal,
  decideVoid,
  type HoldDecision,
  judgeConsent,
} from '../domain/wallet-order.js';
import { armTimers } from '../store/timers.js';
import { beginHoldStep, type HoldRow, insertHold, lockHold } from '../store/holds.js';
import { findOrder, insertOrder, lockOrder, moveOrder, type OrderRow, refundedOf } from '../store/wallet-orders.js';
import { findAskedPay, linkPayment } from '../store/wallet-pays.js';
import { insertTransactions, lockTransaction, type NewTransaction } from '../store/wallet-transactions.js';
import { countSpending, lockWallets, type OwnedWalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { defaultLimits } from './default-limits.js';
import { failPay } from './end-pay.js';
import { HoldPostings } from './hold-postings.js';
import { HOLD_TIMER } from './hold-timer.js';
import { KnowOwners } from './know-owners.js';
import { OrderRefunds, REFUND_TIMER } from './order-refunds.js';
import { orderView } from './order-view.js';

type Request<Operation extends WalletOrderRequest['operation']> = Extract<
  WalletOrderRequest,
  { readonly operation: Operation }
>;
type FollowUp = Request<'capture' | 'void' | 'refund'>;

/** What became of an order's first commit. */
type Begun =
  | { readonly kind: 'begun'; readonly order: OrderRow }
  /** Another step of the hold is to be carried out first. */
  | { readonly kind: 'busy'; readonly holdId: string }
  /** Auth is to be asked about this person first. */
  | { readonly kind: 'ask'; readonly userId: string };

/** A step that is under way, an owner to ask about, and the order itself; and again for whoever races with it. */
const TRIES_MAX = 10;
/** When a decision that nobody has carried out is looked at again. */
const OVERDUE_MS = 5_000;
const SERVICE = 'svc_payment';
/** The payment service ends a hold long before: an authorization has a lifetime there. */
const HOLD_MS_MAX = 366 * 86_400_000;

/**
 * The orders of the payment service: decided and committed behind the locks of the wallet and the hold, posted, recorded. An
 * order is a row for ever, so whoever sends it again is told how it ended; a step that died in the middle is taken up by its
 * timer, under the same references.
 */
@Injectable()
export class WalletOrders {
  constructor(
    private readonly database: Database,
    private readonly steps: HoldPostings,
    private readonly refunds: OrderRefunds,
    private readonly owners: KnowOwners,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** @throws Problem validation_failed when the reference stands for another order */
  async order(request: WalletOrderRequest): Promise<AcquirerOperation> {
    let asked = false;
    for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
      const begun = await this.database.transaction((tx) => this.begin(tx, request, asked));
      if (begun.kind === 'begun') return await this.finish(begun.order);
      if (begun.kind === 'busy') {
        await this.steps.carryOut(begun.holdId);
      } else {
        await this.owners.refresh(begun.userId);
        asked = true;
      }
    }
    throw new Problem('dependency_unavailable', { detail: 'Other orders of this payment are under way.' });
  }

  /** How it stands; undefined when it never came. */
  async inquire(reference: string): Promise<AcquirerOperation | undefined> {
    const order = await findOrder(this.database, reference);
    return order && orderView(order, this.config.GATEWAY_URL);
  }

  /** Holds the money of an authorization that may be: its owner agrees. @returns how it is decided */
  async hold(
    tx: Tx,
    order: OrderRow,
    wallet: OwnedWalletRow,
    asked: boolean,
  ): Promise<Extract<Begun, { kind: 'ask' }> | Pick<OrderRow, 'status' | 'declineCode' | 'holdId'>> {
    const at = new Date();
    const decision = decideSpending(
      wallet,
      wallet.owner,
      order.amountMinor,
      at,
      defaultLimits(this.config, order.currency),
    );
    if (!decision.ok) {
      const { code } = decision.refusal;
      // Events may be on their way that say something better of him.
      const mayBeNews = code === 'owner_unknown' || code === 'verification_required';
      if (mayBeNews && !asked) return { kind: 'ask', userId: wallet.ownerId };
      return declined(code === 'owner_unknown' ? 'verification_required' : code);
    }
    const { paymentId, merchantId, amountMinor, currency } = order;
    const holdId = newId('hld');
    await insertHold(tx, {
      id: holdId,
      walletId: wallet.id,
      amountMinor,
      currency,
      merchantId,
      paymentId,
      spentOn: decision.spending.day,
      reference: null,
      requestedBy: SERVICE,
      expiresAt: new Date(at.getTime() + HOLD_MS_MAX),
      createdAt: at,
    });
    await countSpending(tx, [decision.spending]);
    await arm(tx, HOLD_TIMER, holdId);
    return { status: 'POSTING', declineCode: null, holdId };
  }

  private async finish(order: OrderRow): Promise<AcquirerOperation> {
    if (order.status === 'POSTING') {
      crashPoint('wallet.order.after-intent');
      try {
        await this.carryOut(order);
      } catch (error) {
        if (!(error instanceof ServiceUnavailableError)) throw error;
        this.logger.warn({ err: error, reference: order.reference }, 'an order waits for the ledger');
      }
    }
    const after = await findOrder(this.database, order.reference);
    return orderView(after ?? order, this.config.GATEWAY_URL);
  }

  private async carryOut({ operation, holdId, transactionId }: OrderRow): Promise<void> {
    if (operation === 'refund' && transactionId !== null) await this.refunds.carryOut(transactionId);
    else if (holdId !== null) await this.steps.carryOut(holdId);
  }

  private async begin(tx: Tx, request: WalletOrderRequest, asked: boolean): Promise<Begun> {
    switch (request.operation) {
      case 'authorize':
        return (await known(tx, request)) ?? (await this.authorize(tx, request, asked));
      case 'reverse':
        return await this.reverse(tx, request);
      default:
        return await this.followUp(tx, request);
    }
  }

  private async authorize(tx: Tx, request: Request<'authorize'>, asked: boolean): Promise<Begun> {
    const [wallet] = await lockWallets(tx, [request.walletId]);
    const { consent, paymentId } = request;
    const pay = consent === null ? undefined : await lockTransaction(tx, consent);
    const isAsked =
      pay?.type === 'PAY' &&
      pay.status === 'PENDING' &&
      pay.fromWalletId === request.walletId &&
      pay.merchantId === request.merchantId &&
      pay.amountMinor === BigInt(request.amount) &&
      pay.currency === request.currency &&
      pay.holdId === null &&
      (pay.paymentId === null || pay.paymentId === paymentId);
    const order: OrderRow = {
      ...newOrder(request, request),
      walletId: wallet?.id ?? null,
      transactionId: isAsked ? consent : null,
      description: request.description ?? null,
    };
    const verdict = await this.verdictOn(tx, order, wallet, request, consent === null ? null : isAsked, asked);
    if ('kind' in verdict) return verdict;
    const decided: OrderRow = { ...order, ...verdict };
    await insertOrder(tx, decided);
    if (isAsked && consent !== null) {
      await linkPayment(tx, consent, { paymentId, holdId: decided.holdId });
      if (decided.declineCode !== null) await failPay(tx, this.outbox, consent, decided.declineCode);
    }
    return { kind: 'begun', order: decided };
  }

  private async verdictOn(
    tx: Tx,
    order: OrderRow,
    wallet: OwnedWalletRow | undefined,
    { confirmedBy, currency }: Request<'authorize'>,
    isAsked: boolean | null,
    asked: boolean,
  ): Promise<Extract<Begun, { kind: 'ask' }> | Partial<OrderRow>> {
    if (wallet === undefined) return declined('wallet_not_found');
    const verdict = judgeConsent({ ownerId: wallet.ownerId, confirmedBy, asked: isAsked });
    if (verdict !== 'hold' && verdict !== 'wait') return declined(verdict);
    if (wallet.currency !== currency) return declined('currency_mismatch');
    if (verdict === 'hold') return await this.hold(tx, order, wallet, asked);
    const lifetimeMs = this.config.WALLET_APPROVAL_SECONDS * 1_000;
    return { status: 'WAITING', expiresAt: new Date(order.createdAt.getTime() + lifetimeMs) };
  }

  private async reverse(tx: Tx, request: Request<'reverse'>): Promise<Begun> {
    const original = await lockOrder(tx, request.originalReference);
    const before = await known(tx, request);
    if (before) return before;
    const order = newOrder(request, request);
    if (original === undefined) {
      // Should it arrive yet, it finds itself declined.
      const { originalReference: reference } = request;
      await insertOrder(tx, { ...order, reference, operation: 'authorize', ...declined('reversed') });
      return await done(tx, order);
    }
    if (original.status === 'POSTING' && original.holdId !== null) return { kind: 'busy', holdId: original.holdId };
    if (original.status === 'WAITING') await moveOrder(tx, original.reference, declined('reversed'));
    if (original.status !== 'APPROVED' || original.holdId === null) return await done(tx, order);
    const hold = await lockedHold(tx, original.holdId);
    if (hold.step !== null) return { kind: 'busy', holdId: hold.id };
    return await this.act(tx, { ...order, walletId: hold.walletId, holdId: hold.id }, hold, decideReversal(hold));
  }

  private async followUp(tx: Tx, request: FollowUp): Promise<Begun> {
    const hold = await lockHold(tx, request.holdId);
    if (hold?.paymentId == null || hold.merchantId === null) throw new Problem('hold_not_found');
    const before = await known(tx, request);
    if (before) return before;
    const { paymentId, merchantId } = hold;
    const order = { ...newOrder(request, { paymentId, merchantId }), walletId: hold.walletId, holdId: hold.id };
    if (hold.currency !== request.currency) return await refuse(tx, order, 'currency_mismatch');
    if (request.operation === 'refund') return await this.refund(tx, order, hold);
    if (hold.step !== null) return { kind: 'busy', holdId: hold.id };
    const decision =
      request.operation === 'capture'
        ? decideCapture(hold, order.amountMinor, request.final, order.createdAt)
        : decideVoid(hold);
    return await this.act(tx, order, hold, decision);
  }

  private async act(tx: Tx, order: OrderRow, hold: HoldRow, decision: HoldDecision): Promise<Begun> {
    switch (decision.kind) {
      case 'declined':
        return await refuse(tx, order, decision.code);
      case 'done':
        return await done(tx, order);
      case 'release': {
        const { releaseMinor } = decision;
        await beginHoldStep(tx, hold.id, { step: 'void', transactionId: null, amountMinor: 0n, releaseMinor });
        return await posting(tx, order, HOLD_TIMER, hold.id);
      }
      case 'confirm': {
        const transactionId = await this.payOf(tx, hold, decision.amountMinor);
        const { amountMinor, releaseMinor } = decision;
        await beginHoldStep(tx, hold.id, { step: 'confirm', transactionId, amountMinor, releaseMinor });
        return await posting(tx, { ...order, transactionId }, HOLD_TIMER, hold.id);
      }
    }
  }

  /** In the wallet's history: what the owner asked for, or a new one for each capture. */
  private async payOf(tx: Tx, hold: HoldRow, amountMinor: bigint): Promise<string> {
    const asked = await findAskedPay(tx, hold.id);
    if (asked?.amountMinor === amountMinor) return asked.id;
    const id = newId('txn');
    await insertTransactions(tx, [{ ...movementOf(id, hold, amountMinor), type: 'PAY', fromWalletId: hold.walletId }]);
    return id;
  }

  private async refund(tx: Tx, order: OrderRow, hold: HoldRow): Promise<Begun> {
    const verdict = decideRefund(hold, await refundedOf(tx, hold.id), order.amountMinor);
    if (verdict !== 'refund') return await refuse(tx, order, verdict);
    const transactionId = newId('txn');
    await insertTransactions(tx, [
      { ...movementOf(transactionId, hold, order.amountMinor), type: 'REFUND', toWalletId: hold.walletId },
    ]);
    return await posting(tx, { ...order, transactionId }, REFUND_TIMER, transactionId);
  }
}

const declined = (declineCode: string): Pick<OrderRow, 'status' | 'declineCode' | 'holdId'> => ({
  status: 'DECLINED',
  declineCode,
  holdId: null,
});

const newOrder = (
  { reference, operation, amount, currency }: WalletOrderRequest,
  { paymentId, merchantId }: { readonly paymentId: string; readonly merchantId: string },
): OrderRow => ({
  reference,
  operation,
  status: 'APPROVED',
  declineCode: null,
  paymentId,
  merchantId,
  walletId: null,
  holdId: null,
  transactionId: null,
  amountMinor: BigInt(amount),
  currency,
  description: null,
  expiresAt: null,
  createdAt: new Date(),
});

/** An order that came before, under the same reference. @throws Problem when it was another one */
const known = async (tx: Tx, request: WalletOrderRequest): Promise<Begun | undefined> => {
  const order = await lockOrder(tx, request.reference);
  if (order === undefined) return undefined;
  const isSame =
    order.operation === request.operation &&
    order.amountMinor === BigInt(request.amount) &&
    order.currency === request.currency;
  if (!isSame) throw new Problem('reference_taken');
  return { kind: 'begun', order };
};

const lockedHold = async (tx: Tx, holdId: string): Promise<HoldRow> => {
  const hold = await lockHold(tx, holdId);
  if (hold === undefined) throw new Error(`invariant: ${holdId} has vanished`);
  return hold;
};

const done = async (tx: Tx, order: OrderRow): Promise<Begun> => {
  await insertOrder(tx, order);
  return { kind: 'begun', order };
};

const refuse = async (tx: Tx, order: OrderRow, declineCode: string): Promise<Begun> =>
  await done(tx, { ...order, status: 'DECLINED', declineCode });

const posting = async (tx: Tx, order: OrderRow, timer: string, subjectId: string): Promise<Begun> => {
  await arm(tx, timer, subjectId);
  return await done(tx, { ...order, status: 'POSTING' });
};

const arm = async (tx: Tx, kind: string, subjectId: string): Promise<void> => {
  await armTimers(tx, [{ kind, subjectId, dueAt: new Date(Date.now() + OVERDUE_MS) }]);
};

const movementOf = (id: string, hold: HoldRow, amountMinor: bigint): Omit<NewTransaction, 'type'> => ({
  id,
  fromWalletId: null,
  toWalletId: null,
  merchantId: hold.merchantId,
  paymentId: hold.paymentId,
  holdId: hold.id,
  amountMinor,
  currency: hold.currency,
  note: null,
  counterparty: hold.merchantId,
  requestedBy: SERVICE,
  keyScope: null,
  key: null,
  spentOn: null,
  createdAt: new Date(),
});
