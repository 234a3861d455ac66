import { Injectable } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import type { ServicePosting, ServicePostingResult } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { Ledger } from '../clients/clients.module.js';
import { availableAccount, heldAccount, postingReference, WALLET_RECEIVABLE } from '../domain/accounts.js';
import { endHoldStep, findHold, type HoldRow, lockHold } from '../store/holds.js';
import { armTimers, disarmTimers, lockStillTaken, type TakenTimer, takeOverTimer } from '../store/timers.js';
import {
  findTransaction,
  lockTransaction,
  type OwnedTransactionRow,
  type Settled,
  settleTransactions,
} from '../store/wallet-transactions.js';
import { type GivenBack, touchWallets } from '../store/wallets.js';
import { HOLD_TIMER } from './hold-timer.js';
import { KnownAccounts } from './known-accounts.js';
import { OrderOutcomes } from './order-outcomes.js';
import { PAY_TIMER } from './end-pay.js';
import { transactionEvent } from './publications.js';

type Posted = Extract<ServicePostingResult, { readonly status: 'posted' }>;

/** The steps of holds at the ledger: what is under way is posted under its own reference, again if need be, and recorded. */
@Injectable()
export class HoldPostings {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly accounts: KnownAccounts,
    private readonly outbox: Outbox,
    private readonly orders: OrderOutcomes,
  ) {}

  /**
   * @param timer in the hands of whoever took it up; without it, it is taken over
   * @returns whether none is under way any more
   */
  async carryOut(holdId: string, timer?: TakenTimer): Promise<boolean> {
    const hold = await findHold(this.database, holdId);
    if (hold === undefined || hold.step === null) return true;
    const inHand =
      hold.step === 'place'
        ? (timer ?? (await takeOverTimer(this.database, { kind: HOLD_TIMER, subjectId: holdId })))
        : undefined;
    const transaction =
      hold.step === 'confirm' ? await findTransaction(this.database, hold.stepTransactionId ?? '') : undefined;
    const posting = postingOf(hold, transaction);
    const codes = posting.postings.flatMap(({ from, to }) => [from, to]);
    try {
      const accounts = this.accounts.toOpen(
        codes.filter((code) => code !== WALLET_RECEIVABLE),
        hold.currency,
      );
      const receivable = codes.includes(WALLET_RECEIVABLE)
        ? [{ code: WALLET_RECEIVABLE, currency: hold.currency, floor: null }]
        : [];
      const [result] = await this.ledger.post([{ ...posting, accounts: [...accounts, ...receivable] }]);
      if (result === undefined) throw new Error(`invariant: the ledger did not tell about ${holdId}`);
      crashPoint('wallet.order.after-posting');
      return await this.database.transaction((tx) => this.record(tx, hold, transaction, result, inHand));
    } catch (error) {
      if (error instanceof ServiceUnavailableError) return false;
      throw error;
    }
  }

  /** @returns whether it is recorded */
  private async record(
    tx: Tx,
    hold: HoldRow,
    transaction: OwnedTransactionRow | undefined,
    result: ServicePostingResult,
    inHand: TakenTimer | undefined,
  ): Promise<boolean> {
    const now = await lockHold(tx, hold.id);
    // Somebody else has recorded it meanwhile.
    if (now?.step !== hold.step || now.version !== hold.version) return true;
    if (result.status === 'refused') {
      // What the ledger refused here, it may have posted for somebody else who has it in hand by now.
      if (inHand !== undefined && !(await lockStillTaken(tx, inHand))) return false;
      await this.refused(tx, hold, result.code);
      return true;
    }
    const end = endOf(hold, new Date(result.postedAt));
    const open = end.status === 'PLACED';
    await Promise.all([
      touchWallets(
        tx,
        [hold.walletId, ...(transaction?.toWalletId == null ? [] : [transaction.toWalletId])],
        givenBack(hold),
      ),
      endHoldStep(tx, { id: hold.id, reason: null, ...end }),
      open
        ? armTimers(tx, [{ subjectId: hold.id, kind: HOLD_TIMER, dueAt: hold.expiresAt }])
        : disarmTimers(tx, HOLD_TIMER, [hold.id]),
    ]);
    if (transaction !== undefined) await this.settle(tx, transaction, result);
    await this.orders.stepEnded(tx, hold, null);
    return true;
  }

  /** There is not enough to set aside. No other step can be refused: its money is held already. */
  private async refused(tx: Tx, hold: HoldRow, code: string): Promise<void> {
    if (hold.step !== 'place' || code === 'reference_taken')
      throw new Error(`invariant: step ${String(hold.step)} of ${hold.id} was refused: ${code}`);
    const { id, confirmedMinor, releasedMinor, amountMinor, spentOn, walletId } = hold;
    await Promise.all([
      touchWallets(tx, [walletId], spentOn === null ? [] : [{ walletId, day: spentOn, amountMinor }]),
      endHoldStep(tx, { id, status: 'FAILED', reason: code, confirmedMinor, releasedMinor, completedAt: new Date() }),
      disarmTimers(tx, HOLD_TIMER, [id]),
    ]);
    await this.orders.stepEnded(tx, hold, code);
  }

  private async settle(tx: Tx, transaction: OwnedTransactionRow, result: Posted): Promise<void> {
    const before = await lockTransaction(tx, transaction.id);
    if (before?.status !== 'PENDING') return;
    const { fromWalletId, fromOwnerId, toWalletId, toOwnerId } = before;
    const balanceOf = (walletId: string | null, ownerId: string | null): bigint | null => {
      if (walletId === null || ownerId === null) return null;
      const account = availableAccount({ id: walletId, ownerId });
      const found = result.balances.find(({ code }) => code === account);
      return found === undefined ? null : BigInt(found.balance);
    };
    const postedAt = new Date(result.postedAt);
    const settled: Settled = {
      id: before.id,
      status: 'SUCCESS',
      reason: null,
      fromBalanceAfter: balanceOf(fromWalletId, fromOwnerId),
      toBalanceAfter: balanceOf(toWalletId, toOwnerId),
      ledgerTransactionId: result.transactionId,
      postedAt,
      completedAt: postedAt,
    };
    await settleTransactions(tx, [settled]);
    await disarmTimers(tx, PAY_TIMER, [before.id]);
    await this.outbox.publish(tx, [transactionEvent({ ...before, ...settled }, postedAt)]);
  }
}

const postingOf = (hold: HoldRow, transaction: OwnedTransactionRow | undefined): Omit<ServicePosting, 'accounts'> => {
  const wallet = { id: hold.walletId, ownerId: hold.ownerId };
  const [available, held] = [availableAccount(wallet), heldAccount(wallet)];
  const move = (from: string, to: string, amountMinor: bigint) => ({
    from,
    to,
    amount: Number(amountMinor),
    currency: hold.currency,
  });
  const release = move(held, available, hold.stepReleaseMinor ?? 0n);
  switch (hold.step) {
    case 'place':
      return {
        reference: postingReference(hold.id),
        type: 'HOLD',
        postings: [move(available, held, hold.amountMinor)],
      };
    case 'void':
    case 'expire':
      return { reference: postingReference(hold.id, 'reversal'), type: 'HOLD', postings: [release] };
    case 'confirm': {
      if (transaction === undefined) throw new Error(`invariant: ${hold.id} is confirmed by no transaction`);
      const { id, type, toWalletId, toOwnerId, amountMinor, paymentId, merchantId } = transaction;
      const to =
        toWalletId === null || toOwnerId === null
          ? WALLET_RECEIVABLE
          : availableAccount({ id: toWalletId, ownerId: toOwnerId });
      return {
        reference: postingReference(id),
        type,
        // By way of what is available, at once: so the balance behind it is known.
        postings: [
          move(held, available, amountMinor + (hold.stepReleaseMinor ?? 0n)),
          move(available, to, amountMinor),
        ],
        paymentId,
        merchantId,
      };
    }
    case null:
      throw new Error(`invariant: nothing is under way with ${hold.id}`);
  }
};

/** How the hold stands when its step is done. */
const endOf = (
  hold: HoldRow,
  at: Date,
): Pick<HoldRow, 'status' | 'confirmedMinor' | 'releasedMinor' | 'completedAt'> => {
  const confirmedMinor = hold.confirmedMinor + (hold.stepAmountMinor ?? 0n);
  const releasedMinor = hold.releasedMinor + (hold.stepReleaseMinor ?? 0n);
  if (hold.step === 'place') return { status: 'PLACED', confirmedMinor, releasedMinor, completedAt: null };
  if (hold.step === 'void') return { status: 'VOIDED', confirmedMinor, releasedMinor, completedAt: at };
  if (hold.step === 'expire') return { status: 'EXPIRED', confirmedMinor, releasedMinor, completedAt: at };
  const used = confirmedMinor + releasedMinor === hold.amountMinor;
  return { status: used ? 'CONFIRMED' : 'PLACED', confirmedMinor, releasedMinor, completedAt: used ? at : null };
};

const givenBack = ({ walletId, spentOn, stepReleaseMinor }: HoldRow): readonly GivenBack[] =>
  spentOn === null || stepReleaseMinor === null || stepReleaseMinor === 0n
    ? []
    : [{ walletId, day: spentOn, amountMinor: stepReleaseMinor }];
