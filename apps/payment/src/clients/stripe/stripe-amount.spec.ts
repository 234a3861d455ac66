import { describe, expect, it } from '@jest/globals';
import { type Currency, currencyOf } from '@payflow/kernel';

import { fromStripeAmount, toStripeAmount } from './stripe-amount.js';

const currency = (code: string): Currency => {
  const known = currencyOf(code);
  if (!known) throw new Error(`given: ${code} is no currency`);
  return known;
};

describe("an amount in Stripe's units", () => {
  it.each<[string, bigint, number]>([
    ['USD', 1050n, 1050],
    ['JPY', 1050n, 1050],
    ['KRW', 1n, 1],
    ['BHD', 1050n, 1050],
    // Zero-decimal since, and still written with two.
    ['ISK', 5n, 500],
    ['UGX', 5n, 500],
    // Two decimals in ISO 4217, none at Stripe.
    ['MGA', 500n, 5],
  ])('%s %s', (code, amountMinor, amount) => {
    expect(toStripeAmount(amountMinor, currency(code))).toBe(amount);
    expect(fromStripeAmount(amount, currency(code))).toBe(amountMinor);
  });

  it.each<[string, bigint]>([
    ['BHD', 1055n],
    ['KWD', 1n],
    ['MGA', 501n],
  ])('cannot be %s %s', (code, amountMinor) => {
    expect(toStripeAmount(amountMinor, currency(code))).toBeUndefined();
  });

  it('that is a part of our smallest unit is none of ours', () => {
    expect(fromStripeAmount(550, currency('ISK'))).toBeUndefined();
  });
});
