import { type Currency, type Money, unreachable } from '@payflow/kernel';

import { approve, decline, type Verdict } from './outcome.js';

/** An approved authorization at this acquirer, and what became of it. captured ≤ amount, refunded ≤ captured. */
export interface Authorization {
  readonly amountMinor: bigint;
  readonly currency: Currency;
  readonly capturedMinor: bigint;
  readonly refundedMinor: bigint;
  /** Nothing more can be captured: voided, or its last capture was final. */
  readonly closed: boolean;
}

/** What a merchant's processor may ask for an authorization. */
export type Change =
  | {
      readonly operation: 'capture';
      readonly amountMinor: bigint;
      readonly currency: Currency;
      readonly final: boolean;
    }
  | { readonly operation: 'refund'; readonly amountMinor: bigint; readonly currency: Currency }
  | { readonly operation: 'void' };

/** The acquirer's answer with the amount it concerns, and the authorization after it. */
export interface Ruling {
  readonly outcome: Verdict;
  /** As asked for; of a void, what it releases. */
  readonly amountMinor: bigint;
  readonly currency: Currency;
  readonly next: Authorization;
}

export const rule = (authorization: Authorization, change: Change): Ruling => {
  switch (change.operation) {
    case 'capture':
      return capture(authorization, change);
    case 'refund':
      return refund(authorization, change);
    case 'void':
      return voidRest(authorization);
    default:
      return unreachable(change);
  }
};

type Capture = Extract<Change, { operation: 'capture' }>;
type Refund = Extract<Change, { operation: 'refund' }>;

const capture = (authorization: Authorization, { amountMinor, currency, final }: Capture): Ruling => {
  const no = (code: string, message: string): Ruling =>
    declined(authorization, { amountMinor, currency }, code, message);
  if (currency !== authorization.currency) return no('currency_mismatch', 'The authorization has another currency.');
  if (authorization.closed) return no('authorization_closed', 'The authorization is voided or fully captured.');
  if (amountMinor > uncaptured(authorization)) {
    return no('capture_exceeds_authorization', 'The capture exceeds what is left of the authorization.');
  }
  const capturedMinor = authorization.capturedMinor + amountMinor;
  const closed = final || capturedMinor === authorization.amountMinor;
  return { outcome: approve('Captured.'), amountMinor, currency, next: { ...authorization, capturedMinor, closed } };
};

const refund = (authorization: Authorization, { amountMinor, currency }: Refund): Ruling => {
  const no = (code: string, message: string): Ruling =>
    declined(authorization, { amountMinor, currency }, code, message);
  if (currency !== authorization.currency) return no('currency_mismatch', 'The authorization has another currency.');
  if (amountMinor > authorization.capturedMinor - authorization.refundedMinor) {
    return no('refund_exceeds_capture', 'The refund exceeds what is captured and not refunded.');
  }
  const refundedMinor = authorization.refundedMinor + amountMinor;
  return { outcome: approve('Refunded.'), amountMinor, currency, next: { ...authorization, refundedMinor } };
};

/** Releases what is not captured. What is captured stays captured: that is refunded, never voided. */
const voidRest = (authorization: Authorization): Ruling => {
  const amountMinor = uncaptured(authorization);
  const { currency } = authorization;
  if (authorization.closed) {
    return declined(
      authorization,
      { amountMinor, currency },
      'authorization_closed',
      'Nothing is left of the authorization.',
    );
  }
  return { outcome: approve('Voided.'), amountMinor, currency, next: { ...authorization, closed: true } };
};

/**
 * A reversal: whatever the authorization's state, nothing is held afterwards. Only what was captured is refunded, never
 * reversed.
 */
export const reverse = (authorization: Authorization): { readonly outcome: Verdict; readonly next: Authorization } =>
  authorization.capturedMinor > 0n
    ? {
        outcome: decline('authorization_captured', 'do_not_try_again', 'Something was captured from it.'),
        next: authorization,
      }
    : { outcome: approve('Reversed.'), next: { ...authorization, closed: true } };

/** A refund that was approved and failed later is no refund. */
export const takeBackRefund = (authorization: Authorization, amountMinor: bigint): Authorization => ({
  ...authorization,
  refundedMinor: authorization.refundedMinor - amountMinor,
});

const uncaptured = (authorization: Authorization): bigint => authorization.amountMinor - authorization.capturedMinor;

const declined = (authorization: Authorization, asked: Money, code: string, message: string): Ruling => ({
  outcome: decline(code, 'do_not_try_again', message),
  ...asked,
  next: authorization,
});

/** Holds of every authorization, at any time. Also a check constraint of table `authorizations`. */
export const holds = ({ amountMinor, capturedMinor, refundedMinor }: Authorization): boolean =>
  amountMinor > 0n && 0n <= refundedMinor && refundedMinor <= capturedMinor && capturedMinor <= amountMinor;
