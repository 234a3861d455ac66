import { passesLuhn } from '@payflow/kernel';
import { z } from 'zod';

import { currencySchema, metadataSchema, textSchema, timeSchema, withoutCardNumber } from './shared-fields.js';
import { paymentErrorSchema, paymentStatusSchema } from './payments.js';
import { tokenIdSchema } from './tokens.js';
import { decimalAmountSchema } from './written-amount.js';

/** A party by our id, or by the name that the operator's own systems have for it (EXTERNAL_REFERENCES). */
const partySchema = textSchema(64);

/**
 * POST /payments as the requirement documents print it for cards: create, authorize and capture in one call. Its keys are in
 * snake case, which is how it is told from an intent; the amount is text, in major units.
 */
export const printedPaymentSchema = z
  .strictObject({
    user_id: partySchema.optional().meta({ description: 'The payer.', examples: ['12345'] }),
    merchant_id: partySchema
      .optional()
      .meta({ description: "The merchant; by default the caller's.", examples: ['67890'] }),
    amount: decimalAmountSchema,
    currency: currencySchema,
    payment_method: z.strictObject({ type: z.literal('card'), token: tokenIdSchema }).meta({
      description: 'The gateway also takes `details` with the card, and swaps them for a token.',
    }),
    idempotency_key: withoutCardNumber(
      z
        .string()
        .min(1)
        .max(255)
        .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII'),
    )
      .optional()
      .meta({ description: 'The same as the header Idempotency-Key.' }),
    metadata: metadataSchema.optional(),
  })
  .meta({ id: 'PrintedPaymentRequest' });
export type PrintedPaymentRequest = z.infer<typeof printedPaymentSchema>;

/** The card of a printed payment on its way to the vault, by way of the gateway. */
export const printedCardMethodSchema = z
  .strictObject({
    type: z.literal('card'),
    details: z.strictObject({
      card_number: z
        .string()
        .regex(/^\d{12,19}$/, { error: 'must be 12 to 19 digits', abort: true })
        .refine(passesLuhn, { message: 'fails the Luhn check', params: { code: 'luhn' } }),
      expiry_date: z
        .string()
        .regex(/^(0[1-9]|1[0-2])\/(20)?\d{2}$/, 'must be a month and a year such as 12/25')
        .meta({ examples: ['12/25'] }),
      cvv: z
        .string()
        .regex(/^\d{3,4}$/, 'must be 3 or 4 digits')
        .optional()
        .meta({ description: 'Never stored.' }),
    }),
  })
  .meta({ id: 'PrintedCardPaymentMethod' });
export type PrintedCardMethod = z.infer<typeof printedCardMethodSchema>;

/** The states of a payment in the words of the printed call. */
export const PRINTED_PAYMENT_STATUSES = ['initiated', 'processing', 'completed', 'failed'] as const;
export type PrintedPaymentStatus = (typeof PRINTED_PAYMENT_STATUSES)[number];

export const printedPaymentAnswerSchema = z
  .object({
    payment_id: z.string(),
    status: z.enum(PRINTED_PAYMENT_STATUSES),
    state: paymentStatusSchema.meta({ description: 'The payment’s state as every other route has it.' }),
    user_id: z.string().nullable(),
    merchant_id: z.string(),
    amount: z.string().meta({ description: 'Decimal, major units.', examples: ['1000.00'] }),
    currency: z.string(),
    next_action: z.object({ type: z.literal('redirect'), redirect_url: z.string() }).nullable(),
    error: paymentErrorSchema.nullable(),
    created_at: timeSchema,
  })
  .meta({ id: 'PrintedPayment' });
export type PrintedPaymentAnswer = z.infer<typeof printedPaymentAnswerSchema>;
