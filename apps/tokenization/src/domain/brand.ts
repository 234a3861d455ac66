export type Brand = 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay' | 'unknown';

/** Issuer identification ranges (ISO/IEC 7812), inclusive, both ends with equally many digits. The first that fits counts. */
const RANGES: readonly (readonly [from: string, to: string, brand: Brand])[] = [
  ['4', '4', 'visa'],
  ['51', '55', 'mastercard'],
  ['2221', '2720', 'mastercard'],
  ['34', '34', 'amex'],
  ['37', '37', 'amex'],
  ['6011', '6011', 'discover'],
  ['644', '649', 'discover'],
  ['65', '65', 'discover'],
  ['300', '305', 'diners'],
  ['3095', '3095', 'diners'],
  ['36', '36', 'diners'],
  ['38', '39', 'diners'],
  ['3528', '3589', 'jcb'],
  ['62', '62', 'unionpay'],
  ['81', '81', 'unionpay'],
];

/** The card scheme, by the first digits of the number. */
export const brandOf = (number: string): Brand =>
  RANGES.find(([from, to]) => {
    const prefix = number.slice(0, from.length);
    return from <= prefix && prefix <= to;
  })?.[2] ?? 'unknown';
