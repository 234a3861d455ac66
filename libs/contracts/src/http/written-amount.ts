import { z } from 'zod';

import { amountSchema } from './shared-fields.js';

const LONGEST_AMOUNT = 20;

/**
 * An amount of major units, written as a decimal number: the unit of the calls that the requirement documents print, and
 * only of those. How many decimals it may have depends on the currency.
 */
export const decimalAmountSchema = z
  .string()
  .max(LONGEST_AMOUNT)
  .regex(/^\d+(\.\d+)?$/, 'must be a decimal number without sign, exponent or spaces')
  .meta({
    description:
      'Decimal number of major units, exact: "10.50" is USD 10.50. Too many decimals are refused, not rounded.',
    examples: ['50.00'],
  });

/**
 * An amount on a route that both speaks JSON and is a printed call: a JSON number is minor units as everywhere, text (a form
 * field, a query parameter, a JSON string) is a decimal number of major units.
 */
export const writtenAmountSchema = z.union([amountSchema, decimalAmountSchema]).meta({
  description:
    'A JSON number is an integer of minor units (5000 is USD 50.00). Text (a form field, a query parameter or a JSON ' +
    'string) is a decimal number of major units ("50.00" is USD 50.00).',
});
export type WrittenAmount = z.infer<typeof writtenAmountSchema>;
