/** Money that is set aside for somebody: it is the owner's, and he cannot spend it. */
export interface Hold {
  readonly status: 'PENDING' | 'PLACED' | 'CONFIRMED' | 'VOIDED' | 'EXPIRED' | 'FAILED';
  /** Decided, and perhaps not posted yet. */
  readonly step: 'place' | 'confirm' | 'void' | 'expire' | null;
  readonly amountMinor: bigint;
  readonly confirmedMinor: bigint;
  readonly releasedMinor: bigint;
  readonly expiresAt: Date;
}

export type HoldRefusal =
  { readonly code: 'hold_not_open' } | { readonly code: 'hold_exceeded'; readonly remainingMinor: bigint };

/** What is taken from a hold, and what of it goes back to its owner at once. */
export interface Confirmation {
  readonly amountMinor: bigint;
  readonly releaseMinor: bigint;
}

export type ConfirmDecision =
  { readonly ok: true; readonly confirmation: Confirmation } | { readonly ok: false; readonly refusal: HoldRefusal };

/** What the hold still has. */
export const remainingOf = ({ amountMinor, confirmedMinor, releasedMinor }: Hold): bigint =>
  amountMinor - confirmedMinor - releasedMinor;

/** Whether it may be confirmed, voided or expire: it is placed, and nothing of that is under way. */
export const isOpen = ({ status, step }: Hold): boolean => status === 'PLACED' && step === null;

/**
 * Takes an amount, or all that is left. With `final` the rest is released; without it more may follow.
 */
export const decideConfirm = (
  hold: Hold,
  wanted: { readonly amountMinor: bigint | undefined; readonly final: boolean },
  at: Date,
): ConfirmDecision => {
  if (!isOpen(hold) || hold.expiresAt <= at) return { ok: false, refusal: { code: 'hold_not_open' } };
  const remainingMinor = remainingOf(hold);
  const amountMinor = wanted.amountMinor ?? remainingMinor;
  if (amountMinor > remainingMinor) return { ok: false, refusal: { code: 'hold_exceeded', remainingMinor } };
  return { ok: true, confirmation: { amountMinor, releaseMinor: wanted.final ? remainingMinor - amountMinor : 0n } };
};
