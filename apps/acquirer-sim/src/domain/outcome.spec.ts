import { describe, expect, it } from '@jest/globals';
import { TEST_CARDS } from '@payflow/contracts';
import fc from 'fast-check';

import { authorizationVerdict } from './outcome.js';

const at = new Date('2026-06-15T12:00:00Z');
const card = (number: string) => ({ number, expMonth: 12, expYear: 2030 });

describe('the verdict on an authorization', () => {
  it.each([
    ['4000000000000002', 'generic_decline', 'try_again_later'],
    ['4000000000009995', 'insufficient_funds', 'try_again_later'],
    ['4000000000009987', 'lost_card', 'do_not_try_again'],
    ['4000000000009979', 'stolen_card', 'do_not_try_again'],
    ['4000000000000069', 'expired_card', 'do_not_try_again'],
    ['4000000000000127', 'incorrect_cvc', 'confirm_card_data'],
    ['4000000000000119', 'processing_error', 'try_again_later'],
    ['4000000000006975', 'card_velocity_exceeded', 'try_again_later'],
  ])('card %s is declined with %s and the advice %s', (number, declineCode, adviceCode) => {
    expect(authorizationVerdict(card(number), 1000n, at)).toMatchObject({ kind: 'declined', declineCode, adviceCode });
  });

  it.each([
    '4242424242424242',
    '4111111111111111',
    '5555555555554444',
    '378282246310005',
    '6011111111111117',
    // Not in the table: any other number is a good card.
    '4539578763621486',
  ])('card %s is approved', (number) => {
    expect(authorizationVerdict(card(number), 1000n, at).kind).toBe('approved');
  });

  it('a test card keeps its outcome after its expiry', () => {
    for (const { number, outcome } of TEST_CARDS) {
      expect(authorizationVerdict({ number, expMonth: 12, expYear: 2025 }, 1n, at).kind).toBe(outcome);
    }
  });

  it('any other card is good to the end of its month everywhere on earth, and then declined as expired', () => {
    const june = { number: '4539578763621486', expMonth: 6, expYear: 2026 };
    expect(authorizationVerdict(june, 1n, new Date('2026-07-01T11:59:59.999Z')).kind).toBe('approved');
    expect(authorizationVerdict(june, 1n, new Date('2026-07-01T12:00:00.000Z'))).toMatchObject({
      kind: 'declined',
      declineCode: 'expired_card',
    });
  });

  it('never repeats the card number', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{12,19}$/), fc.bigInt({ min: -1n, max: 10n ** 14n }), (number, amount) => {
        expect(JSON.stringify(authorizationVerdict(card(number), amount, at))).not.toContain(number);
      }),
    );
  });
});
