import { currencyOf, majorFromMinor } from '@payflow/kernel';

/** `10.50 USD`, `1050 JPY`, `1.050 BHD`: digits by the currency's own exponent and nobody's locale. */
export const amountText = (amountMinor: number, code: string): string => {
  const currency = currencyOf(code);
  // A currency that this version does not know has no exponent: better the integer than a wrong decimal point.
  if (currency === undefined) return `${amountMinor} (minor units) ${code}`;
  return `${majorFromMinor({ amountMinor: BigInt(amountMinor), currency })} ${currency}`;
};
