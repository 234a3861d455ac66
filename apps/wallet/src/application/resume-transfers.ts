import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type StoredAnswer } from '@payflow/service';

import { findClaims } from '../store/claims.js';
import { type TakenTimer, takeOverTimer } from '../store/timers.js';
import { findTransactions, type OwnedTransactionRow } from '../store/wallet-transactions.js';
import { POST_TIMER } from './begin-transfers.js';
import { FinishTransfers } from './finish-transfers.js';
import { Timers } from './timers.js';
import { transferAnswer } from './transfer-answers.js';
import type { PendingTransfer } from './transfer-request.js';

const LEASE_MS = 30_000;
const TRANSFERS_MAX = 250;

/** Transfers whose owner died, or did not hear from the ledger: posted again under their references, and recorded. */
@Injectable()
export class ResumeTransfers implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly finishTransfers: FinishTransfers,
    private readonly idempotency: Idempotency,
    private readonly timers: Timers,
  ) {}

  onModuleInit(): void {
    this.timers.handle({
      kind: POST_TIMER,
      leaseMs: LEASE_MS,
      takenMax: TRANSFERS_MAX,
      handle: (taken) => this.resumeDue(taken),
    });
  }

  /**
   * How a transfer stands that was begun before, when it was looked after now.
   *
   * @throws Problem wallet_transaction_not_found
   */
  async resume(transactionId: string): Promise<StoredAnswer> {
    // From here on its owner, who may be slow and not dead, cannot end it as one that nobody has posted.
    const timer = await takeOverTimer(this.database, { kind: POST_TIMER, subjectId: transactionId });
    const [transfer] = await this.load([timer ?? { subjectId: transactionId, fence: 0n }]);
    if (transfer === undefined) throw new Problem('wallet_transaction_not_found');
    const [finished] = isUnposted(transfer.row) ? await this.finishTransfers.finish([transfer]) : [];
    if (finished !== undefined) return finished.answer;
    return transferAnswer(transfer.row, transfer.claimExpiresAt, this.idempotency, transfer.context);
  }

  /** @returns those that are still to be looked after */
  private async resumeDue(taken: readonly TakenTimer[]): Promise<readonly TakenTimer[]> {
    const transfers = (await this.load(taken)).filter(({ row }) => isUnposted(row));
    if (transfers.length === 0) return [];
    const finished = await this.finishTransfers.finish(transfers);
    const open = new Set(finished.filter(({ row }) => isUnposted(row)).map(({ row }) => row.id));
    return taken.filter(({ subjectId }) => open.has(subjectId));
  }

  private async load(timers: readonly Pick<TakenTimer, 'subjectId' | 'fence'>[]): Promise<readonly PendingTransfer[]> {
    const ids = timers.map(({ subjectId }) => subjectId);
    const fences = new Map(timers.map(({ subjectId, fence }) => [subjectId, fence]));
    const [rows, claims] = await Promise.all([findTransactions(this.database, ids), findClaims(this.database, ids)]);
    const expiry = new Map(claims.map(({ transactionId, expiresAt }) => [transactionId, expiresAt]));
    return rows.map((row) => ({
      row,
      key: keyOf(row),
      claimExpiresAt: expiry.get(row.id),
      fence: fences.get(row.id) ?? 0n,
      context: { requestId: row.id },
    }));
  }
}

const isUnposted = (row: OwnedTransactionRow): boolean => row.status === 'PENDING' && row.ledgerTransactionId === null;

const keyOf = ({ id, keyScope, key }: OwnedTransactionRow): PendingTransfer['key'] =>
  keyScope === null || key === null ? undefined : { scope: keyScope, key, keyless: isKeyless(key), resourceId: id };

/** Callers' keys are printable; those made from a request's content begin otherwise. */
const isKeyless = (key: string): boolean => key.charCodeAt(0) < 0x20;
