import { Injectable } from '@nestjs/common';
import {
  isStaff,
  type listWalletTransactionsQuerySchema,
  type Principal,
  type WalletTransactionView,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';
import type { z } from 'zod';

import { findHistoryRow, type HistoryRow, listHistory } from '../store/wallet-transactions.js';
import { listWalletIds } from '../store/wallets.js';
import { ReadWallets } from './read-wallets.js';

/** GET /transactions, /transactions/{id}: each side sees its own debit or credit, and its own balance after. */
@Injectable()
export class ReadHistory {
  constructor(
    private readonly database: Database,
    private readonly wallets: ReadWallets,
  ) {}

  /** @throws Problem wallet_not_found */
  async page(
    caller: Principal,
    query: z.infer<typeof listWalletTransactionsQuerySchema>,
  ): Promise<{ readonly data: readonly WalletTransactionView[]; readonly nextCursor: string | null }> {
    const walletIds =
      query.walletId === undefined
        ? await listWalletIds(this.database, caller.id)
        : [(await this.wallets.seen(caller, query.walletId)).id];
    const { type, status, from, to, cursor, limit } = query;
    const rows = await listHistory(this.database, { walletIds, type, status, from, to }, cursor, limit + 1);
    const shown = rows.slice(0, limit);
    const own = new Set(walletIds);
    return {
      data: shown.map((row) => historyView(row, own)),
      nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  /** @throws Problem wallet_transaction_not_found also for one between strangers, or one that has not reached the caller */
  async one(
    caller: Principal,
    transactionId: string,
  ): Promise<{ readonly view: WalletTransactionView; readonly version: number }> {
    const row = await findHistoryRow(this.database, transactionId);
    const arrived = row !== undefined && (row.status === 'SUCCESS' || row.fromWalletId === null);
    const sees =
      row !== undefined &&
      (isStaff(caller) || row.fromOwnerId === caller.id || (row.toOwnerId === caller.id && arrived));
    if (!sees) throw new Problem('wallet_transaction_not_found');
    const staff = row.fromOwnerId !== caller.id && row.toOwnerId !== caller.id;
    const own = [
      row.fromOwnerId === caller.id || staff ? row.fromWalletId : null,
      row.toOwnerId === caller.id || staff ? row.toWalletId : null,
    ];
    return { view: historyView(row, new Set(own.filter((id) => id !== null))), version: Number(row.version) };
  }
}

/** As whoever has these wallets sees it. */
const historyView = (row: HistoryRow, own: ReadonlySet<string>): WalletTransactionView => {
  const paid = row.fromWalletId !== null && own.has(row.fromWalletId);
  const received = row.toWalletId !== null && own.has(row.toWalletId);
  const balanceAfter = paid ? row.fromBalanceAfter : row.toBalanceAfter;
  const failed = row.status === 'FAILED';
  return {
    transactionId: row.id as WalletTransactionView['transactionId'],
    type: row.type,
    status: row.status,
    reason: row.reason,
    fromWalletId: row.fromWalletId,
    toWalletId: row.toWalletId,
    amount: Number(row.amountMinor),
    currency: row.currency,
    debit: paid && !failed ? Number(row.amountMinor) : null,
    credit: received && !failed ? Number(row.amountMinor) : null,
    balanceAfter: balanceAfter === null ? null : Number(balanceAfter),
    counterparty: paid ? (row.counterparty ?? row.toUsername) : row.fromUsername,
    note: row.note,
    merchantId: row.merchantId,
    paymentId: row.paymentId,
    ledgerTransactionId: row.ledgerTransactionId,
    createdAt: row.createdAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
  };
};
