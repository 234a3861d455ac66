import { z } from 'zod';

import { BALANCE_TRANSACTION_TYPES } from './settlement-words.js';
import { currencySchema, minorSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

export const merchantIdField = textSchema(64).optional().meta({ description: 'For staff. A merchant reads his own.' });

export const merchantBalanceQuerySchema = z.strictObject({ merchantId: merchantIdField });

/** GET /balance: one row for each currency in which the merchant has ever been paid. */
export const merchantBalanceSchema = z
  .object({
    data: z.array(
      z.object({
        currency: z.string(),
        pending: minorSchema.meta({
          description: 'Captured, less fees, refunds and chargebacks, and not settled yet.',
        }),
        available: minorSchema.meta({
          description: 'Settled, and not paid out yet. Below zero: more was taken back than came in.',
        }),
        reserved: minorSchema.meta({ description: 'Kept back by a reserve rule.' }),
      }),
    ),
  })
  .meta({ id: 'MerchantBalance' });
export type MerchantBalance = z.infer<typeof merchantBalanceSchema>;

export const balanceTransactionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  merchantId: merchantIdField,
  currency: currencySchema.optional(),
  type: z.enum(BALANCE_TRANSACTION_TYPES).optional(),
  paymentId: textSchema(64).optional(),
});
export type BalanceTransactionsQuery = z.infer<typeof balanceTransactionsQuerySchema>;

/** What changed a merchant's balance, and by how much: `net` = `gross` − `fee`. */
export const balanceTransactionSchema = z
  .object({
    balanceTransactionId: z.string().meta({ examples: ['bt_01kxyz6w3hf8btq2v9m4n7r5sd'] }),
    type: z.enum(BALANCE_TRANSACTION_TYPES),
    currency: z.string(),
    gross: minorSchema.meta({ description: 'Below zero when it lowered the balance.' }),
    fee: minorSchema,
    net: minorSchema,
    paymentId: z.string().nullable(),
    reference: z.string().nullable().meta({ description: 'The capture, refund or dispute.' }),
    acquirer: z.string().nullable().meta({ description: 'Null: nothing that an acquirer pays or takes.' }),
    settlementId: z.string().nullable().meta({ description: 'The batch that took it in; null before.' }),
    payoutId: z.string().nullable(),
    occurredAt: timeSchema,
    availableOn: timeSchema.meta({ description: 'From then on a settlement takes it in.' }),
    createdAt: timeSchema,
  })
  .meta({ id: 'BalanceTransaction' });
export type BalanceTransaction = z.infer<typeof balanceTransactionSchema>;
export const balanceTransactionPageSchema = pageOf(balanceTransactionSchema).meta({ id: 'BalanceTransactionPage' });
