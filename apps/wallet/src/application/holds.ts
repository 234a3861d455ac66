import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { decideConfirm, isOpen, remainingOf } from '../domain/hold.js';
import { decideSpending } from '../domain/spending.js';
import { beginHoldStep, findHold, type HoldRow, insertHold, lockHold } from '../store/holds.js';
import { armTimers, type TakenTimer } from '../store/timers.js';
import { insertTransactions } from '../store/wallet-transactions.js';
import { countSpending, lockWallets } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { defaultLimits } from './default-limits.js';
import { HoldPostings } from './hold-postings.js';
import { HOLD_TIMER } from './hold-timer.js';
import { KnowOwners } from './know-owners.js';
import { problemOfSpending, walletNotFound } from './refusals.js';
import { Timers } from './timers.js';

const LEASE_MS = 30_000;
const HOLDS_MAX = 20;
/** When a step that nobody has carried out is looked at again. */
const OVERDUE_MS = 5_000;

/** Money to be set aside. */
export interface HoldOrder {
  readonly holdId: string;
  readonly walletId: string;
  /** Who must own the wallet. */
  readonly ownerId: string;
  readonly amountMinor: bigint;
  /** As the caller named it; another than the wallet's is refused. */
  readonly currency?: string;
  readonly expiresAt: Date;
  readonly reference: string | null;
  readonly merchantId: string | null;
  readonly paymentId: string | null;
}

/** What is taken from a hold, and for whom: another wallet, or a payment, which is then settled with its merchant. */
export interface ConfirmOrder {
  readonly transactionId: string;
  readonly amountMinor: bigint | undefined;
  /** The rest is released. */
  readonly final: boolean;
  readonly to: { readonly walletId: string } | { readonly paymentId: string; readonly merchantId: string };
}

/**
 * Holds: placed, confirmed in part or whole, voided, or expired. Each step is decided in one commit with a timer, posted, and
 * recorded in another; `carryOut` posts and records whatever step is under way, any number of times.
 */
@Injectable()
export class Holds implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly postings: HoldPostings,
    private readonly owners: KnowOwners,
    private readonly timers: Timers,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  onModuleInit(): void {
    this.timers.handle({
      kind: HOLD_TIMER,
      leaseMs: LEASE_MS,
      takenMax: HOLDS_MAX,
      handle: async (taken) => (await Promise.all(taken.map((timer) => this.look(timer)))).flat(),
    });
  }

  async find(holdId: string): Promise<HoldRow | undefined> {
    return await findHold(this.database, holdId);
  }

  /** Asks auth about an owner of whom no event has told what lets him move money. Before `place`. @throws ServiceUnavailableError */
  async learnOwner(userId: string): Promise<void> {
    if ((await this.owners.known(userId))?.verified !== true) await this.owners.refresh(userId);
  }

  /**
   * Decides to set money aside.
   *
   * @throws Problem wallet_not_found | currency_mismatch | account_blocked | verification_required | wallet_frozen |
   *   wallet_limit_exceeded
   */
  async place(tx: Tx, order: HoldOrder): Promise<void> {
    const [wallet] = await lockWallets(tx, [order.walletId]);
    if (wallet?.ownerId !== order.ownerId) throw new Problem('wallet_not_found');
    if (order.currency !== undefined && order.currency !== wallet.currency) throw new Problem('currency_mismatch');
    const at = new Date();
    const limits = defaultLimits(this.config, wallet.currency);
    const decision = decideSpending(wallet, wallet.owner, order.amountMinor, at, limits);
    if (!decision.ok) throw problemOfSpending(decision.refusal);
    const { ownerId: requestedBy, holdId: id, ...hold } = order;
    await Promise.all([
      countSpending(tx, [decision.spending]),
      insertHold(tx, {
        ...hold,
        id,
        requestedBy,
        currency: wallet.currency,
        spentOn: decision.spending.day,
        createdAt: at,
      }),
      this.armStep(tx, id),
    ]);
  }

  /**
   * Decides to take money from a hold.
   *
   * @throws Problem hold_not_found | hold_not_open | hold_exceeded | account_blocked | wallet_frozen | wallet_not_found |
   *   currency_mismatch | wallet_unavailable | transfer_to_itself
   */
  async confirm(tx: Tx, holdId: string, ownerId: string, order: ConfirmOrder): Promise<void> {
    const hold = await this.owned(tx, holdId, ownerId);
    const at = new Date();
    const decision = decideConfirm(hold, order, at);
    if (!decision.ok) {
      const { refusal } = decision;
      throw refusal.code === 'hold_exceeded'
        ? new Problem('hold_exceeded', { extensions: { remaining: Number(refusal.remainingMinor) } })
        : new Problem('hold_not_open');
    }
    const toWalletId = 'walletId' in order.to ? await this.parties(tx, hold, order.to.walletId) : null;
    const { amountMinor, releaseMinor } = decision.confirmation;
    const payment = 'paymentId' in order.to ? order.to : { paymentId: null, merchantId: null };
    await insertTransactions(tx, [
      {
        id: order.transactionId,
        type: toWalletId === null ? 'PAY' : 'TRANSFER',
        fromWalletId: hold.walletId,
        toWalletId,
        ...payment,
        holdId,
        amountMinor,
        currency: hold.currency,
        note: hold.reference,
        counterparty: null,
        requestedBy: ownerId,
        keyScope: null,
        key: null,
        // It was counted when the hold was placed.
        spentOn: null,
        createdAt: at,
      },
    ]);
    await Promise.all([
      beginHoldStep(tx, holdId, { step: 'confirm', transactionId: order.transactionId, amountMinor, releaseMinor }),
      this.armStep(tx, holdId),
    ]);
  }

  /** Decides to give all that is left back. A second time is a no-op. @throws Problem hold_not_found | hold_not_open */
  async void(tx: Tx, holdId: string, ownerId: string): Promise<void> {
    const hold = await this.owned(tx, holdId, ownerId);
    if (hold.status === 'VOIDED' || hold.step === 'void') return;
    if (!isOpen(hold)) throw new Problem('hold_not_open');
    await this.release(tx, hold, 'void');
  }

  /** Posts the step under way and records it. @returns whether none is under way any more */
  async carryOut(holdId: string): Promise<boolean> {
    return await this.postings.carryOut(holdId);
  }

  private async owned(tx: Tx, holdId: string, ownerId: string): Promise<HoldRow> {
    const hold = await lockHold(tx, holdId);
    if (hold?.ownerId !== ownerId) throw new Problem('hold_not_found');
    // A payment's is the merchant's to capture or to void: its owner has agreed to that.
    if (hold.paymentId !== null) throw new Problem('hold_not_open', { detail: 'A payment holds it.' });
    return hold;
  }

  /** Nothing leaves a frozen wallet, what is held of it neither. @returns whom it is paid to */
  private async parties(tx: Tx, hold: HoldRow, walletId: string): Promise<string> {
    if (walletId === hold.walletId) throw new Problem('transfer_to_itself');
    const wallets = await lockWallets(tx, [hold.walletId, walletId]);
    const own = wallets.find(({ id }) => id === hold.walletId);
    if (own?.owner?.status === 'BLOCKED') throw problemOfSpending({ code: 'account_blocked' });
    if (own?.status === 'FROZEN') throw problemOfSpending({ code: 'wallet_frozen' });
    const wallet = wallets.find(({ id }) => id === walletId);
    if (wallet === undefined) throw walletNotFound('toWallet');
    if (wallet.currency !== hold.currency) throw new Problem('currency_mismatch');
    if (wallet.status === 'FROZEN' || wallet.owner?.status === 'BLOCKED') throw new Problem('wallet_unavailable');
    return wallet.id;
  }

  private async release(tx: Tx, hold: HoldRow, step: 'void' | 'expire'): Promise<void> {
    await Promise.all([
      beginHoldStep(tx, hold.id, { step, transactionId: null, amountMinor: 0n, releaseMinor: remainingOf(hold) }),
      this.armStep(tx, hold.id),
    ]);
  }

  private async armStep(tx: Tx, holdId: string): Promise<void> {
    await armTimers(tx, [{ subjectId: holdId, kind: HOLD_TIMER, dueAt: new Date(Date.now() + OVERDUE_MS) }]);
  }

  /** A step that nobody has carried out, or a hold whose time is over. @returns the timer, when it is to look again */
  private async look(timer: TakenTimer): Promise<readonly TakenTimer[]> {
    const holdId = timer.subjectId;
    const expired = await this.database.transaction(async (tx) => {
      const hold = await lockHold(tx, holdId);
      if (hold === undefined) throw new Error(`invariant: a timer of ${holdId}, which is none`);
      if (!isOpen(hold)) return false;
      if (hold.expiresAt > new Date()) {
        await armTimers(tx, [{ subjectId: holdId, kind: HOLD_TIMER, dueAt: hold.expiresAt }]);
        return false;
      }
      await this.release(tx, hold, 'expire');
      return true;
    });
    const done = await this.postings.carryOut(holdId, timer);
    // Set anew in both cases but one: a step that was under way and still is.
    return done || expired ? [] : [timer];
  }
}
