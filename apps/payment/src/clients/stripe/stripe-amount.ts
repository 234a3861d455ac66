import { type Currency, exponentOf, minorToJson } from '@payflow/kernel';

/**
 * Where Stripe's smallest unit is not ISO 4217's. https://docs.stripe.com/currencies: zero-decimal currencies, and the two
 * that became zero-decimal and are still written with two.
 */
const STRIPE_EXPONENTS: Readonly<Record<string, number>> = { MGA: 0, ISK: 2, UGX: 2 };
/** Three-decimal currencies are charged in steps of ten: the last digit must be 0. */
const STEP_OF_THREE_DECIMALS = 10n;
const THREE_DECIMALS = 3;

const stripeExponentOf = (currency: Currency): number => STRIPE_EXPONENTS[currency] ?? exponentOf(currency);

/** Our minor units in Stripe's; undefined where Stripe has none so small. */
export const toStripeAmount = (amountMinor: bigint, currency: Currency): number | undefined => {
  const shift = stripeExponentOf(currency) - exponentOf(currency);
  if (shift >= 0) {
    const amount = amountMinor * 10n ** BigInt(shift);
    const isFine = stripeExponentOf(currency) === THREE_DECIMALS && amount % STEP_OF_THREE_DECIMALS !== 0n;
    return isFine ? undefined : minorToJson(amount);
  }
  const divisor = 10n ** BigInt(-shift);
  return amountMinor % divisor === 0n ? minorToJson(amountMinor / divisor) : undefined;
};

/** Stripe's units in ours; undefined for a part of our smallest unit. */
export const fromStripeAmount = (amount: number, currency: Currency): bigint | undefined => {
  const shift = exponentOf(currency) - stripeExponentOf(currency);
  if (shift >= 0) return BigInt(amount) * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return BigInt(amount) % divisor === 0n ? BigInt(amount) / divisor : undefined;
};
