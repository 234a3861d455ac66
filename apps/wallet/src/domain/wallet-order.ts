import { decideConfirm, type Hold, isOpen, remainingOf } from './hold.js';

/*
 * The orders of the payment service to a wallet, decided. A hold is what an authorization has taken from the available money;
 * captures take from it, and its last capture, a void or a reversal gives the rest back.
 */

/** Whose word an authorization rests on. */
export interface Consent {
  readonly ownerId: string;
  /** The person whose own token confirmed the payment. */
  readonly confirmedBy: string | null;
  /** Whether the owner has asked for exactly this payment here; null: no transaction of his was named. */
  readonly asked: boolean | null;
}

/** `hold`: the owner agreed. `wait`: he is asked. Nobody else's word takes money from a wallet. */
export type ConsentVerdict = 'hold' | 'wait' | 'wallet_not_found' | 'consent_invalid';

export const judgeConsent = ({ ownerId, confirmedBy, asked }: Consent): ConsentVerdict => {
  if (asked !== null) return asked ? 'hold' : 'consent_invalid';
  if (confirmedBy === null) return 'wait';
  // To a stranger, a wallet that is not his is one that does not exist.
  return confirmedBy === ownerId ? 'hold' : 'wallet_not_found';
};

/** What an order does to a hold; `done`: nothing is left to do. */
export type HoldDecision =
  | { readonly kind: 'confirm'; readonly amountMinor: bigint; readonly releaseMinor: bigint }
  | { readonly kind: 'release'; readonly releaseMinor: bigint }
  | { readonly kind: 'done' }
  | { readonly kind: 'declined'; readonly code: string };

export const decideCapture = (hold: Hold, amountMinor: bigint, final: boolean, at: Date): HoldDecision => {
  const decision = decideConfirm(hold, { amountMinor, final }, at);
  return decision.ok
    ? { kind: 'confirm', ...decision.confirmation }
    : { kind: 'declined', code: decision.refusal.code };
};

export const decideVoid = (hold: Hold): HoldDecision =>
  isOpen(hold) ? { kind: 'release', releaseMinor: remainingOf(hold) } : { kind: 'done' };

/** What was captured is not undone by a reversal: it is refunded. */
export const decideReversal = (hold: Hold): HoldDecision =>
  hold.confirmedMinor > 0n ? { kind: 'declined', code: 'already_captured' } : decideVoid(hold);

export const decideRefund = (
  hold: Hold,
  refundedMinor: bigint,
  amountMinor: bigint,
): 'refund' | 'refund_exceeds_capture' =>
  amountMinor <= hold.confirmedMinor - refundedMinor ? 'refund' : 'refund_exceeds_capture';
