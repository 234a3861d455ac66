import { z } from 'zod';

import { amountSchema, currencySchema, idSchema, minorSchema, textSchema, timeSchema } from './shared-fields.js';
import { WALLET_TRANSACTION_STATUSES } from './wallet-words.js';

/** Paid from a wallet: to a merchant by his id, or by what his QR code says. */

const walletField = {
  walletId: idSchema('wal').optional().meta({ description: 'Without it: your oldest wallet of the currency.' }),
};
const ownFields = { ...walletField, description: textSchema(1000).optional() };

const payMerchantSchema = z.strictObject({
  merchantId: idSchema('mer'),
  amount: amountSchema,
  currency: currencySchema.optional().meta({ description: 'Without it: that of the wallet.' }),
  reference: textSchema(100).optional().meta({ description: 'Of the merchant: an invoice, an order.' }),
  ...ownFields,
});
const payByQrSchema = z.strictObject({
  qr: z.string().min(1).max(2_000).meta({ description: 'The text of the code, as it was scanned.' }),
  amount: amountSchema.optional().meta({ description: 'Where the code leaves it open.' }),
  ...ownFields,
});

/** POST /wallet/pay */
export const walletPaySchema = z.union([payMerchantSchema, payByQrSchema]).meta({ id: 'WalletPay' });
export type WalletPayRequest = z.infer<typeof walletPaySchema>;

/** 201 when it has ended, 202 while it is not known how. */
export const walletPaidSchema = z
  .object({
    transactionId: idSchema('txn'),
    status: z.enum(WALLET_TRANSACTION_STATUSES),
    reason: z.string().nullable().meta({ description: 'Why it FAILED.' }),
    paymentId: z.string().nullable().meta({ description: "The merchant's payment; null while none is known." }),
    merchantId: z.string(),
    walletId: z.string(),
    amount: minorSchema,
    currency: z.string(),
    balanceAfter: minorSchema.nullable().meta({ description: 'Minor units available right after it.' }),
    createdAt: timeSchema,
    completedAt: timeSchema.nullable(),
  })
  .meta({ id: 'WalletPaid' });
export type WalletPaid = z.infer<typeof walletPaidSchema>;

const QR_SECONDS_MAX = 366 * 86_400;

/** POST /wallet/qr */
export const createQrSchema = z
  .strictObject({
    amount: amountSchema.optional().meta({ description: 'Without it: the payer says how much.' }),
    currency: currencySchema,
    reference: textSchema(100).optional(),
    singleUse: z.boolean().default(true),
    expiresInSeconds: z.int().min(1).max(QR_SECONDS_MAX).default(900),
  })
  .meta({ id: 'CreateQr' });
export type CreateQrRequest = z.infer<typeof createQrSchema>;

export const qrSchema = z
  .object({
    payload: z.string().meta({ description: 'What the code says; signed, so it cannot be changed.' }),
    svg: z.string().meta({ description: 'The code as a picture.' }),
    expiresAt: timeSchema,
  })
  .meta({ id: 'Qr' });
export type QrView = z.infer<typeof qrSchema>;
