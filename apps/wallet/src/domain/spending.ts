import { dayOf, type Limits, limitsOf, type Owner, spentOn, type Wallet } from './wallet.js';

/** Why nothing leaves a wallet. Whether there is enough in it, only the ledger can tell. */
export type SpendingRefusal =
  /** Auth is to be asked: no event has told of the owner, or none that lets him move money. */
  | { readonly code: 'owner_unknown'; readonly userId: string }
  | { readonly code: 'account_blocked' }
  | { readonly code: 'verification_required' }
  | { readonly code: 'wallet_frozen' }
  | {
      readonly code: 'wallet_limit_exceeded';
      readonly limit: 'transfer' | 'day';
      readonly limitMinor: bigint;
      readonly remainingMinor: bigint;
    };

/** What a wallet has spent of its day's limit when this is on its way. */
export interface Spending {
  readonly walletId: string;
  readonly day: string;
  readonly spentMinor: bigint;
}

export type SpendingDecision =
  { readonly ok: true; readonly spending: Spending } | { readonly ok: false; readonly refusal: SpendingRefusal };

/** Whether so much may leave the wallet now, for whatever: a transfer, a payment, a withdrawal, a hold. */
export const decideSpending = (
  wallet: Wallet,
  owner: Owner | undefined,
  amountMinor: bigint,
  at: Date,
  defaults: Limits,
): SpendingDecision => {
  const refusal = ownerRefusal(wallet, owner) ?? limitRefusal(wallet, amountMinor, at, defaults);
  if (refusal !== undefined) return { ok: false, refusal };
  const day = dayOf(at);
  return { ok: true, spending: { walletId: wallet.id, day, spentMinor: spentOn(wallet, day) + amountMinor } };
};

const ownerRefusal = (wallet: Wallet, owner: Owner | undefined): SpendingRefusal | undefined => {
  if (owner === undefined) return { code: 'owner_unknown', userId: wallet.ownerId };
  if (owner.status === 'BLOCKED') return { code: 'account_blocked' };
  if (!owner.verified) return { code: 'verification_required' };
  return wallet.status === 'FROZEN' ? { code: 'wallet_frozen' } : undefined;
};

const limitRefusal = (wallet: Wallet, amountMinor: bigint, at: Date, defaults: Limits): SpendingRefusal | undefined => {
  const { transferMaxMinor, dayMaxMinor } = limitsOf(wallet, defaults);
  const left = dayMaxMinor - spentOn(wallet, dayOf(at));
  const remainingMinor = left < 0n ? 0n : left;
  if (amountMinor > transferMaxMinor) {
    const lower = transferMaxMinor < remainingMinor ? transferMaxMinor : remainingMinor;
    return { code: 'wallet_limit_exceeded', limit: 'transfer', limitMinor: transferMaxMinor, remainingMinor: lower };
  }
  if (amountMinor <= remainingMinor) return undefined;
  return { code: 'wallet_limit_exceeded', limit: 'day', limitMinor: dayMaxMinor, remainingMinor };
};
