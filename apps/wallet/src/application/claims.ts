import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import type { Principal, ServicePosting } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { Ledger } from '../clients/clients.module.js';
import { availableAccount, CLAIMS_ACCOUNT, postingReference } from '../domain/accounts.js';
import { type ClaimRow, findClaim, lockClaim, moveClaim, openClaimsOf } from '../store/claims.js';
import { type Channel, findOwnersByAddress, type OwnerRow } from '../store/owners.js';
import { armTimers, type TakenTimer } from '../store/timers.js';
import {
  endTransaction,
  findTransaction,
  lockTransaction,
  type OwnedTransactionRow,
} from '../store/wallet-transactions.js';
import { findWallet, touchWallets, type WalletRow } from '../store/wallets.js';
import { CLAIM_TIMER, givenBackBy } from './finish-transfers.js';
import { KnowOwners } from './know-owners.js';
import { KnownAccounts } from './known-accounts.js';
import { OpenWallets } from './open-wallets.js';
import { transactionEvent } from './publications.js';
import { Timers } from './timers.js';
import { transferView } from './transfer-answers.js';
import { TwoCommits } from './two-commits.js';

const LEASE_MS = 30_000;
/** When a decision that nobody has carried out is looked at again. */
const OVERDUE_MS = 5_000;
const CLAIMS_MAX = 20;
/** Claims of one address that are paid at once; the rest when their timers look. */
const CLAIMS_OF_ADDRESS_MAX = 500;

/**
 * Money that waits for somebody without an account. It is paid to whoever shows that the address is his, or goes back: when
 * its time is over, or when the sender takes it back. Which of these is decided in one commit, posted, and recorded in
 * another; what was decided is posted again until it is recorded.
 */
@Injectable()
export class Claims implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly accounts: KnownAccounts,
    private readonly wallets: OpenWallets,
    private readonly owners: KnowOwners,
    private readonly outbox: Outbox,
    private readonly idempotency: Idempotency,
    private readonly commits: TwoCommits,
    private readonly timers: Timers,
  ) {}

  onModuleInit(): void {
    this.timers.handle({
      kind: CLAIM_TIMER,
      leaseMs: LEASE_MS,
      takenMax: CLAIMS_MAX,
      handle: (taken) => this.look(taken),
    });
  }

  /** Somebody has shown that an address is his: what waits for it is looked at now. */
  async addressVerified(tx: Tx, channel: Channel, address: string): Promise<void> {
    const ids = await openClaimsOf(tx, channel, address, CLAIMS_OF_ADDRESS_MAX);
    await armTimers(
      tx,
      ids.map((subjectId) => ({ subjectId, kind: CLAIM_TIMER, dueAt: new Date() })),
    );
    tx.onCommit(() => {
      this.timers.poke();
    });
  }

  /**
   * POST /transactions/{id}/cancel: the sender takes it back.
   *
   * @throws Problem wallet_transaction_not_found | wallet_transaction_not_cancelable
   */
  async cancel(caller: Principal, transactionId: string, meta: RequestMeta): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ meta, principal: caller, body: null });
    return await this.commits.run(identity, {
      resourceId: transactionId,
      moneyMoving: false,
      decide: (tx) => this.decideCancel(tx, caller, transactionId),
      carryOut: () => this.carryOut(transactionId),
      answer: async () => {
        const row = await findTransaction(this.database, transactionId);
        if (row === undefined) throw new Error('invariant: a transaction has vanished');
        const canceled = row.status === 'FAILED';
        return { status: canceled ? 200 : 202, body: { ...transferView(row, undefined), success: canceled } };
      },
    });
  }

  private async decideCancel(tx: Tx, caller: Principal, transactionId: string): Promise<void> {
    const row = await lockTransaction(tx, transactionId);
    if (row === undefined || row.fromOwnerId !== caller.id) throw new Problem('wallet_transaction_not_found');
    const claim = await lockClaim(tx, transactionId);
    // It goes back already because he took it back: a no-op.
    if (claim?.reason === 'canceled') return;
    if (claim?.status !== 'OPEN') throw new Problem('wallet_transaction_not_cancelable');
    await this.decide(tx, claim, { status: 'RETURNING', reason: 'canceled', toWalletId: null });
  }

  /** @returns those whose time has not come */
  private async look(taken: readonly TakenTimer[]): Promise<readonly TakenTimer[]> {
    const open = await Promise.all(
      taken.map(async (timer) => ((await this.lookAt(timer.subjectId)) ? undefined : timer)),
    );
    return open.filter((timer) => timer !== undefined);
  }

  /** @returns whether it is done with, or its timer was set anew */
  private async lookAt(transactionId: string): Promise<boolean> {
    const decided = await this.decideByNow(transactionId).catch((error: unknown) => {
      // Auth is silent about this one; the others do not wait for it.
      if (error instanceof ServiceUnavailableError) return undefined;
      throw error;
    });
    return decided !== undefined && (decided === 'waits' || (await this.carryOut(transactionId)));
  }

  /** Whether it is to be paid or to go back by now. */
  private async decideByNow(transactionId: string): Promise<'waits' | 'decided'> {
    const receiver = await this.receiverOf(transactionId);
    return await this.database.transaction(async (tx) => {
      const claim = await lockClaim(tx, transactionId);
      if (claim?.status !== 'OPEN') return 'decided';
      if (receiver !== undefined) {
        await this.decide(tx, claim, { status: 'PAYING', reason: null, toWalletId: receiver.id });
        return 'decided';
      }
      if (claim.expiresAt <= new Date()) {
        await this.decide(tx, claim, { status: 'RETURNING', reason: 'claim_expired', toWalletId: null });
        return 'decided';
      }
      await armTimers(tx, [{ subjectId: transactionId, kind: CLAIM_TIMER, dueAt: claim.expiresAt }]);
      return 'waits';
    });
  }

  /** The wallet of whoever has verified the address; blocked people's do not count, frozen ones neither. */
  private async receiverOf(transactionId: string): Promise<WalletRow | undefined> {
    const [claim, row] = await Promise.all([
      findClaim(this.database, transactionId),
      findTransaction(this.database, transactionId),
    ]);
    if (claim?.status !== 'OPEN' || row === undefined) return undefined;
    const owner = await this.ownerOf(claim);
    if (owner === undefined || owner.status === 'BLOCKED') return undefined;
    const wallet = await this.wallets.defaultWallet(owner.userId, row.currency);
    return wallet.status === 'FROZEN' || wallet.id === row.fromWalletId ? undefined : wallet;
  }

  /** Before it goes back, and where two are known to have the address, auth itself is asked: events may be late. */
  private async ownerOf({ channel, address, expiresAt }: ClaimRow): Promise<OwnerRow | undefined> {
    const known = await findOwnersByAddress(this.database, channel, address);
    if (known.length > 1 || (known.length === 0 && expiresAt <= new Date()))
      return await this.owners.byAddress(channel, address);
    return known[0];
  }

  private async decide(
    tx: Tx,
    { transactionId }: ClaimRow,
    decision: Pick<ClaimRow, 'status' | 'reason' | 'toWalletId'>,
  ): Promise<void> {
    await Promise.all([
      moveClaim(tx, { transactionId, ...decision }),
      armTimers(tx, [{ subjectId: transactionId, kind: CLAIM_TIMER, dueAt: new Date(Date.now() + OVERDUE_MS) }]),
    ]);
  }

  /** Posts what was decided and records it. @returns whether it is done; else the timer looks again */
  private async carryOut(transactionId: string): Promise<boolean> {
    const row = await findTransaction(this.database, transactionId);
    const claim = await findClaim(this.database, transactionId);
    if (row === undefined || claim === undefined || !['PAYING', 'RETURNING'].includes(claim.status)) return true;
    const to = await findWallet(this.database, claim.toWalletId ?? row.fromWalletId ?? '');
    if (to === undefined) throw new Error(`invariant: claim ${transactionId} goes nowhere`);
    const account = availableAccount(to);
    const [result] = await this.ledger
      .post([claimPosting(row, claim, account, this.accounts)])
      .catch((error: unknown) => {
        if (error instanceof ServiceUnavailableError) return [];
        throw error;
      });
    if (result === undefined) return false;
    // The money is there and the account takes any: nothing but a bug refuses it.
    if (result.status === 'refused') throw new Error(`invariant: claim ${transactionId} was refused: ${result.detail}`);
    const balance = result.balances.find(({ code }) => code === account)?.balance;
    await this.database.transaction(async (tx) => {
      const before = await lockTransaction(tx, transactionId);
      const now = await lockClaim(tx, transactionId);
      if (before === undefined || now?.status !== claim.status) return;
      const at = new Date(result.postedAt);
      const paid = claim.status === 'PAYING';
      const after: OwnedTransactionRow = {
        ...before,
        status: paid ? 'SUCCESS' : 'FAILED',
        reason: paid ? null : claim.reason,
        toWalletId: paid ? to.id : null,
        toOwnerId: paid ? to.ownerId : null,
        toBalanceAfter: paid && balance !== undefined ? BigInt(balance) : null,
        reversedAt: paid ? null : at,
        completedAt: at,
      };
      await Promise.all([
        endTransaction(tx, after),
        moveClaim(tx, { ...claim, status: paid ? 'PAID' : 'RETURNED' }),
        touchWallets(tx, [to.id], paid ? [] : givenBackBy(before)),
        this.outbox.publish(tx, [transactionEvent(after, at)]),
      ]);
    });
    return true;
  }
}

const claimPosting = (
  row: OwnedTransactionRow,
  claim: ClaimRow,
  account: string,
  accounts: KnownAccounts,
): ServicePosting => ({
  reference: postingReference(row.id, claim.status === 'PAYING' ? 'paid' : 'returned'),
  type: row.type,
  postings: [{ from: CLAIMS_ACCOUNT, to: account, amount: Number(row.amountMinor), currency: row.currency }],
  accounts: accounts.toOpen([CLAIMS_ACCOUNT, account], row.currency),
});
