import { z } from 'zod';

import { currencySchema, minorSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

const merchantIdField = textSchema(64).optional().meta({ description: 'For staff. A merchant reads his own.' });

export const merchantBalanceQuerySchema = z.strictObject({ merchantId: merchantIdField });

/** GET /balance: one row for each currency in which the merchant has ever been paid. */
export const merchantBalanceSchema = z
  .object({
    data: z.array(
      z.object({
        currency: z.string(),
        pending: minorSchema.meta({ description: 'Captured, less fees and refunds, and not settled yet.' }),
        available: minorSchema.meta({ description: 'Settled, and not paid out yet.' }),
        reserved: minorSchema.meta({ description: 'Kept back.' }),
      }),
    ),
  })
  .meta({ id: 'MerchantBalance' });
export type MerchantBalance = z.infer<typeof merchantBalanceSchema>;

export const balanceTransactionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  merchantId: merchantIdField,
  currency: currencySchema.optional(),
});
export type BalanceTransactionsQuery = z.infer<typeof balanceTransactionsQuerySchema>;

/** What changed a merchant's balance, and by how much: `net` = `gross` − `fee`. */
export const balanceTransactionSchema = z
  .object({
    transactionId: z.string().meta({ description: 'In the ledger.' }),
    type: z.string().meta({ description: 'CAPTURE, REFUND, REFUND_REVERSAL …' }),
    currency: z.string(),
    gross: minorSchema.meta({ description: 'Below zero when it lowered the balance.' }),
    fee: minorSchema,
    net: minorSchema,
    paymentId: z.string().nullable(),
    createdAt: timeSchema,
    availableOn: timeSchema.nullable().meta({ description: 'When it is settled; null while nobody can tell.' }),
  })
  .meta({ id: 'BalanceTransaction' });
export type BalanceTransaction = z.infer<typeof balanceTransactionSchema>;
export const balanceTransactionPageSchema = pageOf(balanceTransactionSchema).meta({ id: 'BalanceTransactionPage' });
