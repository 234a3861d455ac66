/** What a card issuer, or the acquirer for him, advises after a decline. */
export type AdviceCode = 'do_not_try_again' | 'try_again_later' | 'confirm_card_data';

/** A card number with a known outcome. No real card has one of these numbers. */
export interface TestCard {
  readonly number: string;
  readonly brand: string;
  readonly outcome: 'approved' | 'declined';
  readonly declineCode: string | null;
  readonly adviceCode: AdviceCode | null;
  readonly description: string;
}

const approved = (number: string, brand: string, description: string): TestCard => ({
  number,
  brand,
  outcome: 'approved',
  declineCode: null,
  adviceCode: null,
  description,
});

const declined = (
  number: string,
  declineCode: string,
  adviceCode: AdviceCode | null,
  description: string,
): TestCard => ({ number, brand: 'visa', outcome: 'declined', declineCode, adviceCode, description });

/**
 * The test cards, with the numbers that developers know from Stripe's documentation. `acquirer-sim` answers by this
 * table; the vault lets these numbers pass an expiry that is over, in demo mode only, so that printed examples keep working.
 */
export const TEST_CARDS: readonly TestCard[] = [
  approved('4242424242424242', 'visa', 'Approved.'),
  approved('4111111111111111', 'visa', 'Approved.'),
  approved('4000056655665556', 'visa', 'Approved. A debit card.'),
  approved('5555555555554444', 'mastercard', 'Approved.'),
  approved('2223003122003222', 'mastercard', 'Approved. A number of the 2-series.'),
  approved('378282246310005', 'amex', 'Approved. 15 digits, CVC of four.'),
  approved('6011111111111117', 'discover', 'Approved.'),
  approved('3056930009020004', 'diners', 'Approved.'),
  approved('3566002020360505', 'jcb', 'Approved.'),
  approved('6200000000000005', 'unionpay', 'Approved.'),
  declined('4000000000000002', 'generic_decline', 'try_again_later', 'Declined by the issuer without a reason.'),
  declined('4000000000009995', 'insufficient_funds', 'try_again_later', 'Declined: not enough money.'),
  declined('4000000000009987', 'lost_card', 'do_not_try_again', 'Declined: the card was reported lost.'),
  declined('4000000000009979', 'stolen_card', 'do_not_try_again', 'Declined: the card was reported stolen.'),
  declined('4000000000000069', 'expired_card', 'do_not_try_again', 'Declined: the issuer says the card has expired.'),
  declined('4000000000000127', 'incorrect_cvc', 'confirm_card_data', 'Declined: the CVC is wrong.'),
  declined('4000000000000119', 'processing_error', 'try_again_later', 'Declined: an error while processing.'),
  declined(
    '4000000000006975',
    'card_velocity_exceeded',
    'try_again_later',
    'Declined: a limit of the card is used up.',
  ),
];

const byNumber: ReadonlyMap<string, TestCard> = new Map(TEST_CARDS.map((card) => [card.number, card]));

export const testCardOf = (number: string): TestCard | undefined => byNumber.get(number);
