import { z } from 'zod';

import {
  amountSchema,
  currencySchema,
  idSchema,
  minorSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  timeSchema,
} from './shared-fields.js';
import { WALLET_TRANSACTION_STATUSES, WALLET_TRANSACTION_TYPES } from './wallet-words.js';
import { writtenAmountSchema } from './written-amount.js';

export const walletIdSchema = idSchema('wal');
export const walletTransactionIdSchema = idSchema('txn');
export const holdIdSchema = idSchema('hld');

/** An id as people write it in a form: what is none of ours is not found, as one that we do not know. */
const namedWalletSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w-]+$/)
  .meta({ description: 'The id of a wallet.', examples: ['wal_01kxyz6w3hf8btq2v9m4n7r5sd'] });

const decimalBalanceSchema = z.string().meta({
  description: 'Decimal number of major units, exact: what `total` is in minor units.',
  examples: ['10.50'],
});

const balanceFields = {
  balance: decimalBalanceSchema,
  total: minorSchema.meta({ description: 'Minor units: available and held together.' }),
  available: minorSchema.meta({ description: 'Minor units that may be spent.' }),
  held: minorSchema.meta({ description: 'Minor units that are held for somebody.' }),
};

/** POST /wallets, POST /wallets/create */
export const createWalletSchema = z
  .strictObject({ currency: currencySchema.optional() })
  .meta({ id: 'CreateWallet', description: 'Without a currency: the default of this installation.' });
export type CreateWalletRequest = z.infer<typeof createWalletSchema>;

export const WALLET_STATUSES = ['ACTIVE', 'FROZEN'] as const;
export type WalletStatus = (typeof WALLET_STATUSES)[number];

export const walletSchema = z
  .object({
    id: walletIdSchema,
    ownerId: z.string(),
    currency: z.string(),
    ...balanceFields,
    status: z.enum(WALLET_STATUSES),
    frozenReason: z.string().nullable(),
    limits: z.object({
      transferMax: minorSchema.meta({ description: 'The most that leaves it at once, in minor units.' }),
      dayMax: minorSchema.meta({ description: 'The most that leaves it on a day (UTC), in minor units.' }),
      dayRemaining: minorSchema.meta({ description: 'What may still leave it today, in minor units.' }),
    }),
    createdAt: timeSchema,
  })
  .meta({ id: 'Wallet' });
export type WalletView = z.infer<typeof walletSchema>;

/** GET /wallets */
export const listWalletsQuerySchema = z.strictObject({
  ...pageQueryFields,
  currency: currencySchema.optional(),
  ownerId: z.string().min(1).max(64).optional().meta({ description: 'For staff: whose. Else: your own.' }),
});
export const walletPageSchema = pageOf(walletSchema).meta({ id: 'WalletPage' });

/** GET /wallets/{walletId}/balance, GET /wallet/balance */
export const walletBalanceQuerySchema = z.strictObject({
  asOf: timeSchema.optional().meta({ description: 'As it stood then.' }),
});
export const ownBalanceQuerySchema = z.strictObject({
  currency: currencySchema.optional().meta({ description: 'Without it: the default of this installation.' }),
});
export const walletBalanceSchema = z
  .object({ walletId: walletIdSchema, currency: z.string(), ...balanceFields, asOf: timeSchema })
  .meta({ id: 'WalletBalance' });
export type WalletBalance = z.infer<typeof walletBalanceSchema>;

const noteSchema = textSchema(200).meta({ description: 'For both sides, as they see it in their history.' });

/** POST /wallets/transfer: JSON, form, multipart or query. */
export const transferSchema = z
  .strictObject({
    fromWallet: namedWalletSchema,
    toWallet: namedWalletSchema,
    amount: writtenAmountSchema,
    currency: currencySchema.optional(),
    note: noteSchema.optional(),
  })
  .meta({ id: 'WalletTransferRequest' });
export type TransferRequest = z.infer<typeof transferSchema>;

/** POST /wallet/transfer: from the caller's own wallet. */
export const ownTransferSchema = z
  .strictObject({
    toWallet: namedWalletSchema.optional(),
    toEmail: z.email().max(254).optional(),
    toPhone: z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, 'must be a number in E.164, such as +14155550123')
      .optional(),
    toUsername: textSchema(100).optional(),
    amount: writtenAmountSchema,
    currency: currencySchema.optional().meta({ description: 'Without it: the default of this installation.' }),
    fromWallet: namedWalletSchema.optional().meta({ description: 'Without it: your oldest wallet of the currency.' }),
    note: noteSchema.optional(),
  })
  .refine(
    ({ toWallet, toEmail, toPhone, toUsername }) =>
      [toWallet, toEmail, toPhone, toUsername].filter((value) => value !== undefined).length === 1,
    'name exactly one of toWallet, toEmail, toPhone and toUsername',
  )
  .meta({ id: 'OwnWalletTransferRequest' });
export type OwnTransferRequest = z.infer<typeof ownTransferSchema>;

const transactionFields = {
  transactionId: walletTransactionIdSchema,
  type: z.enum(WALLET_TRANSACTION_TYPES),
  status: z.enum(WALLET_TRANSACTION_STATUSES),
  reason: z.string().nullable().meta({ description: 'Why it FAILED.' }),
  fromWalletId: z.string().nullable(),
  toWalletId: z.string().nullable(),
  amount: minorSchema,
  currency: z.string(),
  note: z.string().nullable(),
  createdAt: timeSchema,
  completedAt: timeSchema.nullable(),
};

/** A transfer as its sender sees it. */
export const transferAnswerSchema = z
  .object({
    success: z.boolean().meta({ description: 'The money has moved; false while it is PENDING.' }),
    ...transactionFields,
    balanceAfter: minorSchema.nullable().meta({ description: 'Minor units available to the sender right after it.' }),
    claimExpiresAt: timeSchema.optional().meta({ description: 'When it goes back if nobody claims it.' }),
  })
  .meta({ id: 'WalletTransfer' });
export type TransferAnswer = z.infer<typeof transferAnswerSchema>;

/** GET /transactions */
export const listWalletTransactionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  walletId: walletIdSchema.optional(),
  type: z.enum(WALLET_TRANSACTION_TYPES).optional(),
  status: z.enum(WALLET_TRANSACTION_STATUSES).optional(),
  from: timeSchema.optional().meta({ description: 'Made at that time or later.' }),
  to: timeSchema.optional().meta({ description: 'Made before that time.' }),
});
export const walletTransactionSchema = z
  .object({
    ...transactionFields,
    debit: minorSchema
      .nullable()
      .meta({ description: 'What left the wallet of whoever looks; null where nothing did.' }),
    credit: minorSchema.nullable().meta({ description: 'What came into it.' }),
    balanceAfter: minorSchema.nullable().meta({ description: 'What he had available right after it.' }),
    counterparty: z.string().nullable().meta({ description: 'The other side: a user name, or a masked address.' }),
    merchantId: z.string().nullable(),
    paymentId: z.string().nullable(),
    ledgerTransactionId: z.string().nullable(),
  })
  .meta({ id: 'WalletTransaction' });
export type WalletTransactionView = z.infer<typeof walletTransactionSchema>;
export const walletTransactionPageSchema = pageOf(walletTransactionSchema).meta({ id: 'WalletTransactionPage' });

/** GET /wallets/{walletId}/statement.csv */
export const statementQuerySchema = z.strictObject({
  from: timeSchema.meta({ description: 'The first moment of the statement.' }),
  to: timeSchema.optional().meta({ description: 'Its end, not part of it. Without it: now.' }),
});

/** POST /wallets/{walletId}/freeze | unfreeze */
export const freezeWalletSchema = z.strictObject({ reason: textSchema(200) }).meta({ id: 'FreezeWallet' });

const limitSchema = z.int().min(0).max(99_999_999_999_999);
/** PUT /wallets/{walletId}/limits */
export const setWalletLimitsSchema = z
  .strictObject({
    transferMax: limitSchema.nullable().meta({ description: 'Minor units. Null: the default again.' }),
    dayMax: limitSchema.nullable().meta({ description: 'Minor units. Null: the default again.' }),
  })
  .meta({ id: 'SetWalletLimits' });
export type SetWalletLimits = z.infer<typeof setWalletLimitsSchema>;

export const HOLD_STATUSES = ['PENDING', 'PLACED', 'CONFIRMED', 'VOIDED', 'EXPIRED', 'FAILED'] as const;
export type HoldStatus = (typeof HOLD_STATUSES)[number];

/** POST /wallets/{walletId}/holds */
export const placeHoldSchema = z
  .strictObject({
    amount: amountSchema,
    expiresInSeconds: z.int().min(1).max(31_536_000).optional(),
    reference: textSchema(100).optional(),
  })
  .meta({ id: 'PlaceHold' });
export type PlaceHoldRequest = z.infer<typeof placeHoldSchema>;

/** POST /holds/{holdId}/confirm */
export const confirmHoldSchema = z
  .strictObject({
    toWallet: namedWalletSchema,
    amount: amountSchema.optional().meta({ description: 'Without it: all of it. The rest is released.' }),
  })
  .meta({ id: 'ConfirmHold' });
export type ConfirmHoldRequest = z.infer<typeof confirmHoldSchema>;

export const holdSchema = z
  .object({
    holdId: holdIdSchema,
    walletId: walletIdSchema,
    status: z.enum(HOLD_STATUSES),
    reason: z.string().nullable(),
    amount: minorSchema,
    confirmedAmount: minorSchema,
    currency: z.string(),
    reference: z.string().nullable(),
    transactionId: z.string().nullable().meta({ description: 'The transfer that it was confirmed by.' }),
    expiresAt: timeSchema,
    createdAt: timeSchema,
    completedAt: timeSchema.nullable(),
  })
  .meta({ id: 'WalletHold' });
export type HoldView = z.infer<typeof holdSchema>;
/** GET /wallets/{walletId}/holds */
export const listHoldsQuerySchema = z.strictObject(pageQueryFields);
export const holdPageSchema = pageOf(holdSchema).meta({ id: 'WalletHoldPage' });
