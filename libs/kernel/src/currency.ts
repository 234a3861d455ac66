import currencyCodes from 'currency-codes';

declare const currencyBrand: unique symbol;

/** An ISO 4217 alphabetic code that PayFlow knows. Obtained only from {@link currencyOf}. */
export type Currency = string & { readonly [currencyBrand]: true };

/**
 * Codes that ISO 4217 lists but the library's table (dated 2024-06-25) does not.
 * XCG: Caribbean guilder, ISO 4217 amendment 176, two decimals.
 */
const ADDED_EXPONENTS: Readonly<Record<string, number>> = { XCG: 2 };

/** Funds, metals and testing codes of ISO 4217: no payer holds them. They have no minor unit or are not money. */
const NOT_MONEY = new Set(['XAG', 'XAU', 'XPD', 'XPT', 'XBA', 'XBB', 'XBC', 'XBD', 'XDR', 'XSU', 'XUA', 'XTS', 'XXX']);

/**
 * Minor-unit exponents (JPY 0, USD 2, BHD 3). Never from `Intl`: ICU differs from ISO 4217 for 16 circulating
 * currencies (IQD, HUF, IDR …).
 */
const EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...currencyCodes.data
    .filter((entry) => !NOT_MONEY.has(entry.code))
    .map((entry): [string, number] => [entry.code, entry.digits]),
  ...Object.entries(ADDED_EXPONENTS),
]);

/** The currency with this upper-case ISO 4217 code, or `undefined` when there is none. */
export const currencyOf = (code: string): Currency | undefined =>
  EXPONENTS.has(code) ? (code as Currency) : undefined;

/** How many decimal digits the minor unit has: 0 for JPY, 2 for USD, 3 for BHD. */
export const exponentOf = (currency: Currency): number => {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) throw new Error(`invariant: ${currency} is not a known currency`);
  return exponent;
};

/** Every known code, sorted. */
export const currencyCodesKnown = (): readonly string[] => [...EXPONENTS.keys()].sort();
