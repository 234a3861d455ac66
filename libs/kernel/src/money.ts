import { type Currency, exponentOf } from './currency.js';

/** An exact amount: an integer of minor units (cents) with its ISO 4217 currency. Never a float. */
export interface Money {
  readonly amountMinor: bigint;
  readonly currency: Currency;
}

/**
 * The largest amount of one movement: 14 digits of minor units. It keeps every amount, and the sum of ninety of the
 * largest, an exact integer in JSON readers that hold numbers as IEEE 754 doubles (RFC 8259 §6).
 */
export const AMOUNT_MINOR_MAX = 99_999_999_999_999n;

/** A major-unit decimal string ("10.50") as exact minor units; `undefined` when it is no number or has too many decimals. */
export const minorFromMajor = (text: string, currency: Currency): bigint | undefined => {
  const match = /^(\d{1,15})(?:\.(\d+))?$/.exec(text);
  if (!match?.[1]) return undefined;
  const exponent = exponentOf(currency);
  const decimals = match[2] ?? '';
  if (decimals.length > exponent) return undefined;
  return BigInt(match[1] + decimals.padEnd(exponent, '0'));
};

/** Exact minor units as a major-unit decimal string: 1050 USD is "10.50", 1050 JPY is "1050". */
export const majorFromMinor = ({ amountMinor, currency }: Money): string => {
  const exponent = exponentOf(currency);
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
};

/** Minor units as a JSON number. Throws when the integer is not exact as a double: a bug, since inputs are bounded. */
export const minorToJson = (amountMinor: bigint): number => {
  const number = Number(amountMinor);
  if (!Number.isSafeInteger(number)) throw new Error('invariant: amount exceeds the exact range of JSON numbers');
  return number;
};
