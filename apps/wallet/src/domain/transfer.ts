import { decideSpending, type Spending, type SpendingRefusal } from './spending.js';
import type { Limits, Owner, Wallet } from './wallet.js';

/** Money from one's own wallet to another wallet, or to an address whose owner has no account yet. */
export interface TransferOrder {
  readonly callerId: string;
  readonly fromWalletId: string;
  /** Undefined: it waits at an address until somebody shows that it is his. */
  readonly toWalletId: string | undefined;
  readonly amountMinor: bigint;
  /** As the caller named it. */
  readonly currency: string | undefined;
}

/** What a transfer is decided on. */
export interface Parties {
  readonly from: Wallet | undefined;
  readonly fromOwner: Owner | undefined;
  readonly to: Wallet | undefined;
  readonly toOwner: Owner | undefined;
}

export type TransferRefusal =
  | SpendingRefusal
  | { readonly code: 'wallet_not_found'; readonly side: 'from' | 'to' }
  | { readonly code: 'transfer_to_itself' }
  | { readonly code: 'currency_mismatch'; readonly expected: string; readonly found: string }
  | { readonly code: 'wallet_unavailable' };

export type TransferDecision =
  { readonly ok: true; readonly spending: Spending } | { readonly ok: false; readonly refusal: TransferRefusal };

/**
 * Whether a transfer may be sent to the ledger, which then decides whether there is enough money. Whose wallet it is comes
 * first: to a stranger, a wallet that is not his is one that does not exist.
 */
export const decideTransfer = (order: TransferOrder, parties: Parties, at: Date, limits: Limits): TransferDecision => {
  const { from } = parties;
  if (from === undefined || from.ownerId !== order.callerId) return refused({ code: 'wallet_not_found', side: 'from' });
  const refusal = targetRefusal(order, from, parties);
  return refusal === undefined
    ? decideSpending(from, parties.fromOwner, order.amountMinor, at, limits)
    : refused(refusal);
};

const targetRefusal = (order: TransferOrder, from: Wallet, { to, toOwner }: Parties): TransferRefusal | undefined => {
  if (order.currency !== undefined && order.currency !== from.currency)
    return { code: 'currency_mismatch', expected: from.currency, found: order.currency };
  if (order.toWalletId === undefined) return undefined;
  if (order.toWalletId === from.id) return { code: 'transfer_to_itself' };
  if (to === undefined) return { code: 'wallet_not_found', side: 'to' };
  if (to.currency !== from.currency) return { code: 'currency_mismatch', expected: from.currency, found: to.currency };
  return to.status === 'FROZEN' || toOwner?.status === 'BLOCKED' ? { code: 'wallet_unavailable' } : undefined;
};

const refused = (refusal: TransferRefusal): TransferDecision => ({ ok: false, refusal });
