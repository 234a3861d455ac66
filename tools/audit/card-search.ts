import { containsCardNumber } from '@payflow/kernel';

/**
 * The least that a card number needs: 13 characters in a row that are digits (full-width ones too) or stand between groups of
 * digits. Plain, because Postgres runs it over every row: 70 MB a second.
 */
export const CANDIDATE = '[0-9\\uff10-\\uff19 .\\u00a0\\u200b-\\u200d\\u2060_/-]{13}';

const candidate = new RegExp(CANDIDATE);

/**
 * The ids of a W3C trace context are hexadecimal, and in three million of them some are digits alone that pass the Luhn
 * check. (UUIDs and longer hexadecimal ids are left out by the search itself.)
 */
const TRACE_CONTEXT = /\b[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}\b/g;

/**
 * Whether the text holds a card number: 13 to 19 digits, also in groups, that have a brand's prefix and length and pass the
 * Luhn check. The test cards are such numbers.
 */
export const holdsCardNumber = (text: string): boolean =>
  candidate.test(text) && containsCardNumber(text.replaceAll(TRACE_CONTEXT, ' trace '));

/** For places that are named by a key which may be the very thing that was found. */
export const withoutDigitRuns = (text: string): string => text.replaceAll(/\d{4,}/g, '…');
