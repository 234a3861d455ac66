import { currencyOf } from '@payflow/kernel';
import { claimOf, minorOfWritten, Problem } from '@payflow/service';

import type { Spending } from '../domain/spending.js';
import { decideTransfer } from '../domain/transfer.js';
import { type NewTransaction, type OwnedTransactionRow, pendingRow } from '../store/wallet-transactions.js';
import type { OwnedWalletRow } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { defaultLimits } from './default-limits.js';
import { problemOfTransfer, walletNotFound } from './refusals.js';
import type { TransferRequest } from './transfer-request.js';

const DAY_MS = 86_400_000;

/** What becomes of a transfer when it is decided. */
export type Verdict =
  | { readonly kind: 'begin'; readonly row: OwnedTransactionRow; readonly claimExpiresAt: Date | undefined }
  | { readonly kind: 'refuse'; readonly problem: Problem }
  | { readonly kind: 'owner_unknown'; readonly userId: string };

/** The wallets of many transfers, locked: each transfer is decided on what those before it in the set have left. */
export class TransferBooks {
  private readonly wallets: Map<string, OwnedWalletRow>;
  private readonly spent = new Map<string, Spending>();

  constructor(
    wallets: readonly OwnedWalletRow[],
    private readonly config: WalletConfig,
  ) {
    this.wallets = new Map(wallets.map((wallet) => [wallet.id, wallet]));
  }

  /** Each wallet's day, where something is to leave it. */
  get spendings(): readonly Spending[] {
    return [...this.spent.values()];
  }

  decide(request: TransferRequest, at: Date): Verdict {
    if (request.refusal !== undefined) return { kind: 'refuse', problem: request.refusal };
    const from = this.wallets.get(request.fromWalletId);
    if (from?.ownerId !== request.callerId) return { kind: 'refuse', problem: walletNotFound('fromWallet') };
    const amountMinor = amountOf(request, from);
    if (amountMinor instanceof Problem) return { kind: 'refuse', problem: amountMinor };
    const toWalletId = 'walletId' in request.to ? request.to.walletId : undefined;
    const to = toWalletId === undefined ? undefined : this.wallets.get(toWalletId);
    const decision = decideTransfer(
      { callerId: request.callerId, fromWalletId: from.id, toWalletId, amountMinor, currency: request.currency },
      { from, fromOwner: from.owner, to, toOwner: to?.owner },
      at,
      defaultLimits(this.config, from.currency),
    );
    if (!decision.ok) {
      const { refusal } = decision;
      if (refusal.code === 'owner_unknown') return { kind: 'owner_unknown', userId: refusal.userId };
      if (refusal.code === 'verification_required' && !from.owner?.verified)
        return { kind: 'owner_unknown', userId: from.ownerId };
      return { kind: 'refuse', problem: problemOfTransfer(refusal) };
    }
    const { spending } = decision;
    this.spent.set(from.id, spending);
    this.wallets.set(from.id, { ...from, spentOn: spending.day, spentMinor: spending.spentMinor });
    return {
      kind: 'begin',
      row: {
        ...pendingRow(newTransaction(request, from, to?.id ?? null, amountMinor, spending.day, at)),
        fromOwnerId: from.ownerId,
        toOwnerId: to?.ownerId ?? null,
      },
      claimExpiresAt:
        toWalletId === undefined ? new Date(at.getTime() + this.config.WALLET_CLAIM_DAYS * DAY_MS) : undefined,
    };
  }
}

const amountOf = (request: TransferRequest, from: OwnedWalletRow): bigint | Problem => {
  // What the caller named says how many decimals there may be; that it is another one is refused behind this.
  const currency = currencyOf(request.currency ?? from.currency);
  if (currency === undefined) throw new Error(`invariant: a wallet in ${from.currency}`);
  try {
    return minorOfWritten(request.amount, currency);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
};

const newTransaction = (
  request: TransferRequest,
  from: OwnedWalletRow,
  toWalletId: string | null,
  amountMinor: bigint,
  spentOn: string,
  createdAt: Date,
): NewTransaction => {
  const { identity, transactionId } = request;
  const key = identity === undefined ? undefined : claimOf({ identity, resourceId: transactionId });
  return {
    id: transactionId,
    type: 'TRANSFER',
    fromWalletId: from.id,
    toWalletId,
    merchantId: null,
    paymentId: null,
    holdId: null,
    amountMinor,
    currency: from.currency,
    note: request.note,
    counterparty: request.counterparty,
    requestedBy: request.callerId,
    keyScope: key?.scope ?? null,
    key: key?.key ?? null,
    spentOn,
    createdAt,
  };
};
