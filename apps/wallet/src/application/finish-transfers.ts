import { Injectable } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import type { ServicePosting, ServicePostingResult } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, isUniqueViolation, type Tx } from '@payflow/postgres';
import { completeClaims, crashPoint, Idempotency, releaseClaims, type StoredAnswer } from '@payflow/service';

import { Ledger } from '../clients/clients.module.js';
import { availableAccount, CLAIMS_ACCOUNT, postingReference } from '../domain/accounts.js';
import { settleOpeningClaims } from '../store/claims.js';
import { armTimers, disarmTakenTimers, disarmTimers } from '../store/timers.js';
import {
  findTransactions,
  type OwnedTransactionRow,
  type Settled,
  settleTransactions,
} from '../store/wallet-transactions.js';
import { type GivenBack, touchWallets } from '../store/wallets.js';
import { POST_TIMER } from './begin-transfers.js';
import { KnownAccounts } from './known-accounts.js';
import { transactionEvent } from './publications.js';
import { transferAnswer } from './transfer-answers.js';
import type { PendingTransfer } from './transfer-request.js';

/** The timer of money that waits at an address. */
export const CLAIM_TIMER = 'claim';
/** So long after it began to wait, a claim is compared with who has verified addresses by now. */
const CLAIM_FIRST_LOOK_MS = 2_000;

/** How a transfer ended, or that it is still PENDING. */
export interface Finished {
  readonly row: OwnedTransactionRow;
  readonly answer: StoredAnswer;
}

interface Outcome {
  readonly transfer: PendingTransfer;
  readonly settled: Settled;
}

/** Somebody else has recorded the outcome of one of them meanwhile, or has it in hand. Nothing was written. */
class RecordedElsewhereError extends Error {
  override readonly name = 'RecordedElsewhereError';
}

/**
 * What follows the first commit: one request to the ledger for all of them, and the second commit with what it said: statuses
 * and balances, versions of the wallets, events, and the answers under their keys.
 */
@Injectable()
export class FinishTransfers {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly accounts: KnownAccounts,
    private readonly idempotency: Idempotency,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Posts and records. Posting again is harmless, so this also resumes what somebody else left: whoever records first wins.
   * What the ledger did not tell stays PENDING for the timers, and is answered so.
   *
   * @returns how each ended, in their order
   */
  async finish(transfers: readonly PendingTransfer[]): Promise<readonly Finished[]> {
    try {
      const results = await this.post(transfers);
      crashPoint('wallet.transfer.after-posting');
      const finished = await this.recordOrRead(
        transfers.map((transfer, index) => ({ transfer, settled: settledBy(transfer, results[index]) })),
      );
      crashPoint('wallet.transfer.after-outcome-before-answer');
      return finished;
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) throw error;
      return error.mayHaveTakenEffect ? this.answered(transfers) : await this.giveUp(transfers);
    }
  }

  /** @throws ServiceUnavailableError */
  private async post(transfers: readonly PendingTransfer[]): Promise<readonly ServicePostingResult[]> {
    const results = await this.ledger.post(transfers.map(({ row }) => this.postingOf(row)));
    for (const [index, { row }] of transfers.entries())
      if (results[index]?.status === 'posted') this.accounts.posted(accountsOf(row), row.currency);
    return results;
  }

  private postingOf(row: OwnedTransactionRow): ServicePosting {
    const [from, to] = accountsOf(row);
    return {
      reference: postingReference(row.id),
      type: row.type,
      postings: [{ from, to, amount: Number(row.amountMinor), currency: row.currency }],
      accounts: this.accounts.toOpen([from, to], row.currency),
    };
  }

  /** Nothing of it reached the ledger, and nobody has taken it up: it ends here, and its key is free again. */
  private async giveUp(transfers: readonly PendingTransfer[]): Promise<readonly Finished[]> {
    // Of those that somebody else has begun, one may have reached it before.
    if (transfers.some(({ fence }) => fence !== 0n)) return this.answered(transfers);
    const at = new Date();
    const outcomes = transfers.map((transfer) => ({
      transfer,
      settled: failed(transfer.row, 'ledger_unavailable', at),
    }));
    try {
      return await this.database.transaction((tx) => this.record(tx, outcomes, 'release'));
    } catch (error) {
      if (error instanceof RecordedElsewhereError) return this.answered(transfers);
      throw error;
    }
  }

  /** As their rows stand. */
  private answered(transfers: readonly PendingTransfer[]): readonly Finished[] {
    return transfers.map(({ row, claimExpiresAt, context }) => ({
      row,
      answer: transferAnswer(row, claimExpiresAt, this.idempotency, context),
    }));
  }

  private async recordOrRead(outcomes: readonly Outcome[]): Promise<readonly Finished[]> {
    try {
      return await this.recordAlone(outcomes);
    } catch (error) {
      if (!(error instanceof RecordedElsewhereError)) throw error;
    }
    // Its owner and the timers were at it at once. What is recorded is read, the rest recorded.
    const transfers = outcomes.map(({ transfer }) => transfer);
    const now = await this.rowsNow(transfers);
    const open = outcomes.filter(({ transfer }) => isUnrecorded(now.get(transfer.row.id)));
    const isRefused = ({ settled }: Outcome): boolean => settled.status === 'FAILED';
    const posted = open.filter((outcome) => !isRefused(outcome));
    if (posted.length > 0) await this.recordAlone(posted);
    for (const outcome of open.filter(isRefused)) await this.recordUnlessTaken(outcome);
    const after = await this.rowsNow(transfers);
    return this.answered(
      transfers.map((transfer) => ({ ...transfer, row: after.get(transfer.row.id) ?? transfer.row })),
    );
  }

  /** One that somebody else has in hand by now is his: what the ledger refused at first, it may have posted for him. */
  private async recordUnlessTaken(outcome: Outcome): Promise<void> {
    try {
      await this.recordAlone([outcome]);
    } catch (error) {
      if (!(error instanceof RecordedElsewhereError)) throw error;
    }
  }

  /** @throws RecordedElsewhereError */
  private async recordAlone(outcomes: readonly Outcome[]): Promise<readonly Finished[]> {
    try {
      return await this.database.transaction((tx) => this.record(tx, outcomes, 'complete'));
    } catch (error) {
      // Its first event is there: so is its outcome.
      throw isUniqueViolation(error, 'publication_sequences_pkey') ? new RecordedElsewhereError() : error;
    }
  }

  private async rowsNow(transfers: readonly PendingTransfer[]): Promise<ReadonlyMap<string, OwnedTransactionRow>> {
    const rows = await findTransactions(
      this.database,
      transfers.map(({ row }) => row.id),
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** All statements of the second commit, in one round trip. @throws RecordedElsewhereError */
  private async record(
    tx: Tx,
    outcomes: readonly Outcome[],
    keys: 'complete' | 'release',
  ): Promise<readonly Finished[]> {
    const finished = outcomes.map(({ transfer: { row: before, claimExpiresAt, context, key }, settled }) => {
      const row: OwnedTransactionRow = { ...before, ...settled, version: before.version + 1n };
      return {
        row,
        key,
        context,
        claimExpiresAt,
        answer: transferAnswer(row, claimExpiresAt, this.idempotency, context),
      };
    });
    const rows = finished.map(({ row }) => row);
    const ids = rows.map(({ id }) => id);
    const waiting = finished.filter(({ claimExpiresAt }) => claimExpiresAt !== undefined).map(({ row }) => row);
    const now = new Date();
    const refused = outcomes.filter(({ settled }) => settled.status === 'FAILED');
    const [, recorded, , , inHand] = await Promise.all([
      touchWallets(
        tx,
        rows.flatMap(walletsTouched),
        rows.filter(({ status }) => status === 'FAILED').flatMap(givenBackBy),
      ),
      settleTransactions(
        tx,
        outcomes.map(({ settled }) => settled),
      ),
      settleOpeningClaims(
        tx,
        waiting.map(({ id, status }) => ({ transactionId: id, opened: status === 'PENDING' })),
      ),
      keys === 'release'
        ? releaseClaims(
            tx,
            finished.flatMap(({ key }) => key ?? []),
          )
        : completeClaims(
            tx,
            finished.flatMap(({ key, answer }) => (key === undefined ? [] : [{ claim: key, answer }])),
          ),
      // Behind whoever else has taken one up, the ledger may have posted what it refused here.
      disarmTakenTimers(
        tx,
        refused.map(({ transfer: { row, fence } }) => ({ subjectId: row.id, kind: POST_TIMER, fence })),
      ),
      disarmTimers(tx, POST_TIMER, ids),
      armTimers(
        tx,
        waiting
          .filter(({ status }) => status === 'PENDING')
          .map(({ id }) => ({
            subjectId: id,
            kind: CLAIM_TIMER,
            dueAt: new Date(now.getTime() + CLAIM_FIRST_LOOK_MS),
          })),
      ),
      this.outbox.publishFirst(
        tx,
        finished.map(({ row, context }) => transactionEvent(row, row.completedAt ?? now, context)),
      ),
    ]);
    if (recorded !== rows.length || inHand !== refused.length) throw new RecordedElsewhereError();
    return finished.map(({ row, answer }) => ({ row, answer }));
  }
}

const isUnrecorded = (row: OwnedTransactionRow | undefined): boolean =>
  row?.status === 'PENDING' && row.ledgerTransactionId === null;

const walletsTouched = ({ fromWalletId, toWalletId }: OwnedTransactionRow): readonly string[] =>
  [fromWalletId, toWalletId].filter((id) => id !== null);

/** What a failed transaction gives back to the limit of its day. */
export const givenBackBy = ({ fromWalletId, spentOn, amountMinor }: OwnedTransactionRow): readonly GivenBack[] =>
  fromWalletId === null || spentOn === null ? [] : [{ walletId: fromWalletId, day: spentOn, amountMinor }];

const accountsOf = (row: OwnedTransactionRow): readonly [from: string, to: string] => {
  const { fromWalletId, fromOwnerId, toWalletId, toOwnerId } = row;
  if (fromWalletId === null || fromOwnerId === null) throw new Error(`invariant: ${row.id} has no sender`);
  return [
    availableAccount({ id: fromWalletId, ownerId: fromOwnerId }),
    toWalletId === null || toOwnerId === null
      ? CLAIMS_ACCOUNT
      : availableAccount({ id: toWalletId, ownerId: toOwnerId }),
  ];
};

/** What the ledger said, as it is recorded. */
const settledBy = ({ row, claimExpiresAt }: PendingTransfer, result: ServicePostingResult | undefined): Settled => {
  if (result === undefined) throw new Error(`invariant: the ledger was asked about ${row.id} and did not tell`);
  if (result.status === 'refused') {
    // It says that money has moved under this reference, for something else: for people to look at, never FAILED.
    if (result.code === 'reference_taken') throw new Error(`invariant: ${row.id} was posted with other content`);
    return failed(row, result.code, new Date());
  }
  const [from, to] = accountsOf(row);
  const balanceOf = (account: string): bigint | null => {
    const found = result.balances.find(({ code }) => code === account);
    return found === undefined ? null : BigInt(found.balance);
  };
  const postedAt = new Date(result.postedAt);
  const waits = claimExpiresAt !== undefined;
  return {
    id: row.id,
    status: waits ? 'PENDING' : 'SUCCESS',
    reason: null,
    fromBalanceAfter: balanceOf(from),
    toBalanceAfter: waits ? null : balanceOf(to),
    ledgerTransactionId: result.transactionId,
    postedAt,
    completedAt: waits ? null : postedAt,
  };
};

const failed = (row: OwnedTransactionRow, reason: string, at: Date): Settled => ({
  id: row.id,
  status: 'FAILED',
  reason,
  fromBalanceAfter: null,
  toBalanceAfter: null,
  ledgerTransactionId: null,
  postedAt: null,
  completedAt: at,
});
