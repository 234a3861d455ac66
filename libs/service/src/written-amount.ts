import type { WrittenAmount } from '@payflow/contracts';
import { AMOUNT_MINOR_MAX, type Currency, exponentOf, minorFromMajor } from '@payflow/kernel';

import { pointerOf } from './json-body.js';
import { Problem } from './problem.js';

/**
 * The minor units of an amount on a route of the printed calls: text is a decimal number of major units ("50.00"), however
 * it came (form, query, multipart, JSON string); a JSON number is minor units already. Nothing is rounded.
 *
 * @throws Problem validation_failed
 */
export const minorOfWritten = (written: WrittenAmount, currency: Currency, field = 'amount'): bigint => {
  if (typeof written === 'number') return BigInt(written);
  const minor = minorFromMajor(written, currency);
  if (minor === undefined) throw refusal(field, 'not_an_amount', decimalsRule(currency));
  if (minor === 0n) throw refusal(field, 'too_small', 'must be more than zero');
  if (minor > AMOUNT_MINOR_MAX) throw refusal(field, 'too_big', 'is more than one movement may be');
  return minor;
};

const decimalsRule = (currency: Currency): string => {
  const exponent = exponentOf(currency);
  if (exponent === 0) return `must be a whole number: ${currency} has no decimals`;
  return `must be a decimal number such as ${(10.5).toFixed(exponent)}, with at most ${exponent} decimals in ${currency}`;
};

const refusal = (field: string, code: string, message: string): Problem =>
  new Problem('validation_failed', { errors: [{ pointer: pointerOf([field]), code, message }] });
