import { type AdviceCode, testCardOf } from '@payflow/contracts';
import { cardGoodUntil } from '@payflow/kernel';

/** What the acquirer says to an operation. A decline is an answer like any other: it is in the book, and final. */
export type Outcome =
  | { readonly kind: 'approved'; readonly message: string }
  | {
      readonly kind: 'declined';
      readonly declineCode: string;
      readonly adviceCode: AdviceCode | null;
      readonly message: string;
    };

export const approve = (message: string): Outcome => ({ kind: 'approved', message });

export const decline = (declineCode: string, adviceCode: AdviceCode | null, message: string): Outcome => ({
  kind: 'declined',
  declineCode,
  adviceCode,
  message,
});

export interface CardPresented {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
}

/**
 * The issuer's answer to an authorization: the test card's, whatever its expiry, or approved for any other card that has
 * not expired. Every further mode of the simulator (3-D Secure, silence, late answers) begins here.
 */
export const authorizationOutcome = (card: CardPresented, amountMinor: bigint, at: Date): Outcome => {
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
