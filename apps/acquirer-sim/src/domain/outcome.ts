import { type AdviceCode, testCardOf } from '@payflow/contracts';
import { cardGoodUntil } from '@payflow/kernel';

/** A yes or no. A decline is an answer like any other: it is in the book. */
export type Verdict =
  | { readonly kind: 'approved'; readonly message: string }
  | {
      readonly kind: 'declined';
      readonly declineCode: string;
      readonly adviceCode: AdviceCode | null;
      /** The acquirer could not process it; another one may. */
      readonly technical: boolean;
      readonly message: string;
    };

/** What the acquirer says to an operation: a verdict, or that it is still open. */
export type Outcome = Verdict | { readonly kind: 'pending' | 'action_required'; readonly message: string };

export const approve = (message: string): Verdict => ({ kind: 'approved', message });

export const decline = (declineCode: string, adviceCode: AdviceCode | null, message: string): Verdict => ({
  kind: 'declined',
  declineCode,
  adviceCode,
  technical: false,
  message,
});

export const declineTechnically = (message: string): Verdict => ({
  kind: 'declined',
  declineCode: 'processing_error',
  adviceCode: 'try_again_later',
  technical: true,
  message,
});

export interface CardPresented {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
}

/**
 * The issuer's verdict on an authorization: the test card's, whatever its expiry, or approved for any other card that has
 * not expired. When it is said, and whether the answer arrives, is the course's matter (`treatment.ts`).
 */
export const authorizationVerdict = (card: CardPresented, amountMinor: bigint, at: Date): Verdict => {
  if (amountMinor <= 0n) return decline('invalid_amount', 'do_not_try_again', 'The amount is not positive.');
  const known = testCardOf(card.number);
  if (known !== undefined) {
    return known.declineCode === null
      ? approve('Approved.')
      : decline(known.declineCode, known.adviceCode, known.description);
  }
  if (at >= cardGoodUntil(card.expMonth, card.expYear))
    return decline('expired_card', 'do_not_try_again', 'Declined: the card has expired.');
  return approve('Approved.');
};
