/** What a card issuer, or the acquirer for him, advises after a decline. */
export type AdviceCode = 'do_not_try_again' | 'try_again_later' | 'confirm_card_data';

/** What happens to a test card, from the first answer to the last. */
export const CARD_BEHAVIOURS = [
  'approved',
  'declined',
  'challenge',
  'challenge_fails',
  'refund_pending',
  'refund_fails_later',
  'timeout_after_effect',
  'timeout_without_effect',
  'error_before_effect',
  'error_after_effect',
  'technical_decline_at_first',
  'late_success',
  'pending_then_approved',
  'pending_then_declined',
  'partial_approval',
  'disputed',
] as const;
export type CardBehaviour = (typeof CARD_BEHAVIOURS)[number];

/** A card number with a known outcome. No real card has one of these numbers. */
export interface TestCard {
  readonly number: string;
  readonly brand: string;
  readonly behaviour: CardBehaviour;
  /** How an authorization ends when everything has happened: the payer has completed his challenge, what was late has come. */
  readonly outcome: 'approved' | 'declined';
  readonly declineCode: string | null;
  readonly adviceCode: AdviceCode | null;
  readonly description: string;
}

const approved = (
  number: string,
  brand: string,
  description: string,
  behaviour: CardBehaviour = 'approved',
): TestCard => ({ number, brand, behaviour, outcome: 'approved', declineCode: null, adviceCode: null, description });

const declined = (
  number: string,
  declineCode: string,
  adviceCode: AdviceCode | null,
  description: string,
  behaviour: CardBehaviour = 'declined',
): TestCard => ({ number, brand: 'visa', behaviour, outcome: 'declined', declineCode, adviceCode, description });

/**
 * The test cards, with the numbers that developers know from Stripe's documentation; those that begin with 4000 0099 are
 * ours. `acquirer-sim` answers by this table; the vault lets these numbers pass an expiry that is over, in demo mode only,
 * so that printed examples keep working. What a card's fault does, it does to the first request of a reference: the
 * repetition is served.
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
  approved('4000002500003155', 'visa', 'Approved when the payer completes a 3-D Secure challenge.', 'challenge'),
  approved(
    '4000000000000259',
    'visa',
    'Approved. What is captured is disputed as fraudulent, a moment later.',
    'disputed',
  ),
  approved('4000000000007726', 'visa', 'Approved. A refund is pending first and approved later.', 'refund_pending'),
  approved('4000000000005126', 'visa', 'Approved. A refund is approved first and fails later.', 'refund_fails_later'),
  approved('4000009900000012', 'visa', 'Approved, but the answer never comes.', 'timeout_after_effect'),
  approved(
    '4000009900000020',
    'visa',
    'No answer, and nothing happened. Approved when the same request comes again.',
    'timeout_without_effect',
  ),
  approved(
    '4000009900000038',
    'visa',
    'Error 500, and nothing happened. Approved when the same request comes again.',
    'error_before_effect',
  ),
  approved('4000009900000046', 'visa', 'Approved, but answered with error 500.', 'error_after_effect'),
  approved(
    '4000009900000053',
    'visa',
    'The first acquirer cannot process it (a technical decline); approved at any other.',
    'technical_decline_at_first',
  ),
  approved(
    '4000009900000061',
    'visa',
    'Declined by answer and inquiry; later a webhook says that it was approved.',
    'late_success',
  ),
  approved('4000009900000079', 'visa', 'Pending; approved later, by webhook.', 'pending_then_approved'),
  declined(
    '4000009900000087',
    'generic_decline',
    'try_again_later',
    'Pending; declined later, by webhook.',
    'pending_then_declined',
  ),
  approved('4000009900000095', 'visa', 'Approved for half of the amount.', 'partial_approval'),
  declined(
    '4000009900000103',
    'authentication_failed',
    'confirm_card_data',
    'A 3-D Secure challenge that fails whatever the payer does.',
    'challenge_fails',
  ),
];

const byNumber: ReadonlyMap<string, TestCard> = new Map(TEST_CARDS.map((card) => [card.number, card]));

export const testCardOf = (number: string): TestCard | undefined => byNumber.get(number);
