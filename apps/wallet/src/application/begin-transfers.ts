import { Injectable } from '@nestjs/common';
import { Database, isUniqueViolation, type Tx } from '@payflow/postgres';
import {
  type ClaimStanding,
  claimKeys,
  ClaimLostError,
  claimOf,
  completeClaims,
  crashPoint,
  findClaimStandings,
  Idempotency,
  InjectConfig,
  type Problem,
  type RequestIdentity,
  runInContext,
  type StoredAnswer,
} from '@payflow/service';

import type { Spending } from '../domain/spending.js';
import { insertClaims } from '../store/claims.js';
import { armTimers } from '../store/timers.js';
import { findTransactions, insertTransactions } from '../store/wallet-transactions.js';
import { countSpending, lockWallets } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { TransferBooks } from './transfer-books.js';
import type { PendingTransfer, TransferRequest } from './transfer-request.js';

/** The timer of a posting whose outcome is not recorded yet. */
export const POST_TIMER = 'post';
/** When somebody else takes care of a transfer whose owner has not ended it: of its posting, and of its key. */
const OVERDUE_MS = 5_000;
const TRIES_MAX = 5;

export type Beginning =
  | { readonly kind: 'begun'; readonly transfer: PendingTransfer }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  /** Nothing was stored. */
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** Auth is to be asked about this person; then it may be begun again. */
  | { readonly kind: 'owner_unknown'; readonly userId: string }
  /** It was begun before and is to be resumed. */
  | { readonly kind: 'known'; readonly transactionId: string };

type Keyed = TransferRequest & { readonly identity: RequestIdentity };
const hasIdentity = (request: TransferRequest): request is Keyed => request.identity !== undefined;

interface Begun {
  readonly request: TransferRequest;
  readonly transfer: PendingTransfer;
  readonly fence: bigint;
}
interface Refused {
  readonly request: Keyed;
  readonly answer: StoredAnswer;
  readonly fence: bigint;
}

/**
 * The first commit of many transfers: their keys are claimed, who pays and who is paid is checked behind the locks of their
 * wallets, what leaves a wallet is counted on its day, and what was not refused is PENDING with a timer. Three round trips,
 * however many there are. Whether there is enough money, the ledger says next.
 */
@Injectable()
export class BeginTransfers {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** @returns what became of each, in their order. No two may have the same key or id. */
  async begin(requests: readonly TransferRequest[]): Promise<readonly Beginning[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const beginnings = await this.database.transaction((tx) => this.beginIn(tx, requests, new Date()));
        crashPoint('wallet.transfer.after-intent');
        return beginnings;
      } catch (error) {
        // Another instance has claimed one of the keys, or begun one of the transactions, in between: seen the next time.
        const lost = error instanceof ClaimLostError || isUniqueViolation(error, 'wallet_transactions_pkey');
        if (!lost || attempt === TRIES_MAX) throw error;
      }
    }
  }

  private async beginIn(tx: Tx, requests: readonly TransferRequest[], at: Date): Promise<readonly Beginning[]> {
    const keyed = requests.filter(hasIdentity);
    const unkeyedIds = requests
      .filter(({ identity }) => identity === undefined)
      .map((request) => request.transactionId);
    // The locks first: a twin in another instance that holds them has claimed its key when they are let go.
    const [wallets, standings, before] = await Promise.all([
      lockWallets(tx, walletIdsOf(requests)),
      findClaimStandings(
        tx,
        keyed.map(({ identity }) => identity),
      ),
      unkeyedIds.length === 0 ? [] : findTransactions(tx, unkeyedIds),
    ]);
    const standingOf = new Map<TransferRequest, ClaimStanding | undefined>(
      keyed.map((request, index) => [request, standings[index]]),
    );
    const begunBefore = new Set(before.map(({ id }) => id));
    const books = new TransferBooks(wallets, this.config);
    const begun: Begun[] = [];
    const refused: Refused[] = [];
    const beginnings = requests.map((request): Beginning => {
      if (begunBefore.has(request.transactionId)) return { kind: 'known', transactionId: request.transactionId };
      const standing = standingOf.get(request);
      if (standing !== undefined && standing.kind !== 'open') return beginningOf(standing);
      const fence = standing?.fence ?? 0n;
      const verdict = books.decide(request, at);
      switch (verdict.kind) {
        case 'owner_unknown':
          return verdict;
        case 'begin': {
          const transfer = pendingTransferOf(request, verdict);
          begun.push({ request, transfer, fence });
          return { kind: 'begun', transfer };
        }
        case 'refuse': {
          const { problem } = verdict;
          if (!isAnswer(problem) || !hasIdentity(request) || request.identity.key === undefined)
            return { kind: 'refused', problem };
          const answer = runInContext(request.context, () => this.idempotency.storedProblem(problem));
          refused.push({ request, answer, fence });
          return { kind: 'answered', answer };
        }
      }
    });
    await this.write(tx, at, begun, refused, books.spendings);
    return beginnings;
  }

  private async write(
    tx: Tx,
    at: Date,
    begun: readonly Begun[],
    refused: readonly Refused[],
    spendings: readonly Spending[],
  ): Promise<void> {
    const claims = [...begun, ...refused].flatMap(({ request, fence }) =>
      request.identity === undefined ? [] : [{ identity: request.identity, resourceId: request.transactionId, fence }],
    );
    const dueAt = new Date(at.getTime() + OVERDUE_MS);
    await Promise.all([
      claimKeys(tx, claims, { leaseMs: OVERDUE_MS, retentionSeconds: this.idempotency.retentionSeconds }),
      refused.length === 0
        ? undefined
        : completeClaims(
            tx,
            refused.map(({ request: { identity, transactionId }, answer }) => ({
              claim: claimOf({ identity, resourceId: transactionId }),
              answer,
            })),
          ),
      insertTransactions(
        tx,
        begun.map(({ transfer }) => transfer.row),
      ),
      insertClaims(
        tx,
        begun.flatMap(({ request: { to, transactionId }, transfer: { claimExpiresAt: expiresAt } }) =>
          'channel' in to && expiresAt !== undefined ? [{ ...to, transactionId, expiresAt }] : [],
        ),
      ),
      countSpending(tx, spendings),
      armTimers(
        tx,
        begun.map(({ transfer: { row } }) => ({ subjectId: row.id, kind: POST_TIMER, dueAt })),
      ),
    ]);
  }
}

const walletIdsOf = (requests: readonly TransferRequest[]): readonly string[] => [
  ...new Set(
    requests.flatMap(({ fromWalletId, to }) => ('walletId' in to ? [fromWalletId, to.walletId] : [fromWalletId])),
  ),
];

const beginningOf = (standing: Exclude<ClaimStanding, { readonly kind: 'open' }>): Beginning =>
  standing.kind === 'overdue' ? { kind: 'known', transactionId: standing.resourceId } : standing;

/** What the rules of business refuse is an answer to keep; what was not allowed or not understood does not use a key up. */
const isAnswer = ({ status }: Problem): boolean => status === 409 || status === 422;

const pendingTransferOf = (
  { identity, transactionId, context }: TransferRequest,
  { row, claimExpiresAt }: Pick<PendingTransfer, 'row' | 'claimExpiresAt'>,
): PendingTransfer => ({
  row,
  key: identity === undefined ? undefined : claimOf({ identity, resourceId: transactionId }),
  claimExpiresAt,
  fence: 0n,
  context,
});
