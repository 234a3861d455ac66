import { describe, expect, it } from '@jest/globals';

import { statusOf, type TokenLife, unusableReason, type Use } from './token.js';

const at = new Date('2026-06-15T12:00:00Z');
const past = new Date('2026-06-15T11:59:59Z');
const token = (rest: Partial<TokenLife> = {}): TokenLife => ({
  merchantId: 'mer_a',
  userId: null,
  reusable: false,
  expMonth: 12,
  expYear: 2030,
  testCard: false,
  usedByPayment: null,
  expiresAt: null,
  deletedAt: null,
  cardErased: false,
  ...rest,
});
const use = (rest: Partial<Use> = {}): Use => ({
  merchantId: 'mer_a',
  userId: null,
  paymentId: 'pay_1',
  at,
  demoMode: false,
  ...rest,
});

describe('the status of a token', () => {
  it.each<[string, TokenLife]>([
    ['ACTIVE', token()],
    ['USED', token({ usedByPayment: 'pay_1', expiresAt: past })],
    ['ACTIVE', token({ reusable: true, usedByPayment: 'pay_1' })],
    ['EXPIRED', token({ expiresAt: at })],
    ['DELETED', token({ deletedAt: past, usedByPayment: 'pay_1', expiresAt: past })],
  ])('is %s', (status, life) => {
    expect(statusOf(life, at)).toBe(status);
  });
});

describe('whether a token can be used, reasons in the order in which they are checked', () => {
  it.each<[string, TokenLife, Use, ReturnType<typeof unusableReason>]>([
    ['its merchant', token(), use(), undefined],
    ['another merchant', token({ deletedAt: past }), use({ merchantId: 'mer_b' }), 'unknown'],
    ['a payment of its user', token({ userId: 'usr_a' }), use({ userId: 'usr_a' }), undefined],
    ['a payment of another user', token({ userId: 'usr_a' }), use({ userId: 'usr_b' }), 'unknown'],
    ['a payment of nobody', token({ userId: 'usr_a' }), use(), 'unknown'],
    [
      'its user at any merchant',
      token({ merchantId: null, userId: 'usr_a' }),
      use({ merchantId: 'mer_b', userId: 'usr_a' }),
      undefined,
    ],
    ['nobody at any merchant', token({ merchantId: null, userId: 'usr_a' }), use({ merchantId: 'mer_b' }), 'unknown'],
    ['a deleted token', token({ deletedAt: past, usedByPayment: 'pay_0' }), use(), 'deleted'],
    ['another payment', token({ usedByPayment: 'pay_0' }), use(), 'used'],
    [
      'the same payment again, although the life is over',
      token({ usedByPayment: 'pay_1', expiresAt: past }),
      use(),
      undefined,
    ],
    ['the same payment when the card is erased', token({ usedByPayment: 'pay_1', cardErased: true }), use(), 'used'],
    ['asking without a payment', token({ usedByPayment: 'pay_1' }), use({ paymentId: null }), 'used'],
    ['a life that is over', token({ expiresAt: at, expYear: 2020 }), use(), 'expired'],
    ['a payment that took it in time, and waited', token({ expiresAt: at }), use({ acceptedAt: past }), undefined],
    ['a payment that took it too late', token({ expiresAt: past }), use({ acceptedAt: past }), 'expired'],
    [
      'a payment that waited until the card was erased',
      token({ expiresAt: at, cardErased: true }),
      use({ acceptedAt: past }),
      'expired',
    ],
    ['a card that is over', token({ expYear: 2025 }), use(), 'card_expired'],
    ['a card in its last month', token({ expMonth: 6, expYear: 2026 }), use(), undefined],
    [
      'a test card that is over, in demo mode',
      token({ expYear: 2025, testCard: true }),
      use({ demoMode: true }),
      undefined,
    ],
    ['a test card that is over, in live mode', token({ expYear: 2025, testCard: true }), use(), 'card_expired'],
    ['another card that is over, in demo mode', token({ expYear: 2025 }), use({ demoMode: true }), 'card_expired'],
  ])('%s', (_, life, how, reason) => {
    expect(unusableReason(life, how)).toBe(reason);
  });
});
