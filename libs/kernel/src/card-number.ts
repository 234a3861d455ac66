/** ISO/IEC 7812-1 annex B: every second digit from the right counts double, digit by digit; the sum ends in 0. */
export const passesLuhn = (digits: string): boolean => {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const weighted = index % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
};

/**
 * UUIDs and hexadecimal ids: one UUID in ten thousand holds 16 digits that look like a card, and an Idempotency-Key that
 * is refused for it would be refused for ever. Digits alone are no such id.
 */
const MACHINE_IDS = /(?<![\da-f])(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?=\d*[a-f])[\da-f]{32,})(?![\da-f])/gi;

/** What people and programs put between the groups of a number, invisible characters included. */
const SEPARATORS = '[ \\u00a0\\u200b-\\u200d\\u2060._/-]';

/** 13 to 19 digits, also in groups. */
const DIGITS = new RegExp(`(?<!\\d)\\d(?:${SEPARATORS}{0,2}\\d){12,18}(?!\\d)`, 'g');
const BETWEEN_DIGITS = new RegExp(SEPARATORS, 'g');

/**
 * How the numbers of the card brands begin, with the lengths they have today: Visa, Mastercard, American Express,
 * Discover, Diners Club (14 digits, or 16 of a newer card), JCB, UnionPay. Shorter Visa numbers are not issued any more and would be taken for bar codes.
 */
const BRANDED =
  /^(?:4\d{15}|4\d{18}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}(?:\d{2})?|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17})$/;

/** ASCII with fewer digits than the shortest card number: most texts, told in a fiftieth of the time. */
const TOO_FEW_DIGITS = /^[^\d\u0080-\uffff]*(?:\d[^\d\u0080-\uffff]*){0,12}$/;

/**
 * Whether a text holds something that is a card number by brand, length and check digit. Used to keep card numbers out
 * of free text, which is stored and logged outside the vault (PCI DSS 3.5.1).
 */
export const containsCardNumber = (text: string): boolean =>
  !TOO_FEW_DIGITS.test(text) &&
  // NFKC turns full-width and other digits into the plain ones.
  (text.normalize('NFKC').replaceAll(MACHINE_IDS, ' id ').match(DIGITS) ?? []).some((candidate) => {
    const digits = candidate.replaceAll(BETWEEN_DIGITS, '');
    return BRANDED.test(digits) && passesLuhn(digits);
  });
