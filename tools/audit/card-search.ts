import { TEST_CARDS } from '@payflow/contracts';
import { containsCardNumber } from '@payflow/kernel';

/** 13 digits or more with nothing between them but what separates groups. Plain, because Postgres runs it over every row. */
const SEPARATORS = ' .\\u00a0\\u200b-\\u200d\\u2060_/-';
const DIGITS = '0-9\\uff10-\\uff19';
const CANDIDATE = `[${DIGITS}][${DIGITS}${SEPARATORS}]{11,}[${DIGITS}]`;

/** The test cards as hexadecimal, and in base 64 at each of its three alignments, without the characters that neighbours share. */
const encodingsOf = (number: string): readonly string[] => [
  Buffer.from(number).toString('hex'),
  ...[0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), Buffer.from(number)])
      .toString('base64')
      .replace(/=+$/, '')
      .slice(offset === 0 ? 0 : offset + 1, -1),
  ),
];
const ENCODED = TEST_CARDS.flatMap(({ number }) => encodingsOf(number)).join('|');

/** What Postgres selects before the exact search looks: a regular expression of its own dialect. */
export const CANDIDATE_SQL = `${CANDIDATE}|${ENCODED}`;

const candidates = new RegExp(CANDIDATE_SQL);
const encoded = new RegExp(ENCODED);

/**
 * The ids of a W3C trace context are hexadecimal, and in three million of them some are digits alone that pass the Luhn
 * check. (UUIDs and longer hexadecimal ids are left out by the search itself.)
 */
const TRACE_CONTEXT = /\b[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}\b/g;

/**
 * Whether the text holds a card number: 13 to 19 digits, also in groups, that have a brand's prefix and length and pass the
 * Luhn check; or a test card in hexadecimal or base 64.
 */
export const holdsCardNumber = (text: string): boolean => {
  if (!candidates.test(text)) return false;
  return encoded.test(text) || containsCardNumber(text.replaceAll(TRACE_CONTEXT, ' trace '));
};

/** For places that are named by a key which may be the very thing that was found. */
export const withoutDigitRuns = (text: string): string => text.replaceAll(/\d{4,}/g, '…');
