import { z } from 'zod';

import { bankCreditorSchema } from './bank.js';
import { paymentMethodSchema } from './payments.js';
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

/*
 * Money that comes into wallets from outside, and leaves them: cards and banks.
 */

/**
 * PayFlow's own merchant, in every installation: money is added to a wallet by a payment to it, whose proceeds the posting ADD
 * then takes to the wallet. It has no clients and no members, and is charged no fees.
 */
export const WALLET_MERCHANT_ID = 'mer_00000000000000000000wa11et';

/** The wallet service as an acquirer of `payment`. Own money is at one place only, so no rule routes it. */
export const WALLET_ACQUIRER = 'wallet';

const walletFields = {
  amount: amountSchema,
  currency: currencySchema.optional().meta({ description: 'Without it: that of the wallet.' }),
  walletId: idSchema('wal').optional().meta({ description: 'Without it: your oldest wallet of the currency.' }),
};

const [cardMethod, , bankRedirectMethod] = paymentMethodSchema.options;

/** POST /wallet/add. At the gateway a card may stand in the place of its token. */
export const addMoneySchema = z
  .strictObject({
    ...walletFields,
    paymentMethod: z.discriminatedUnion('type', [cardMethod, bankRedirectMethod]).meta({
      description: 'A token of yours, or `{type: card, card: {…}}` with a card, which the gateway swaps for a token.',
    }),
    returnUrl: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .meta({ description: 'Where a payer is sent who had to confirm at his issuer or his bank.' }),
  })
  .meta({ id: 'AddMoney' });
export type AddMoneyRequest = z.infer<typeof addMoneySchema>;

const [, numberedCreditor] = bankCreditorSchema.options;

/** POST /wallet/withdraw */
export const withdrawSchema = z
  .strictObject({
    ...walletFields,
    bankAccount: z.union([
      z.strictObject({
        iban: z.string().min(5).max(50).meta({ description: 'ISO 13616; spaces are allowed.' }),
        name: textSchema(140).meta({ description: 'The holder of the account.' }),
      }),
      numberedCreditor,
    ]),
  })
  .meta({ id: 'Withdraw' });
export type WithdrawRequest = z.infer<typeof withdrawSchema>;

/** Answer of POST /wallet/add and /wallet/withdraw: 201 when it has ended, 202 while somebody outside has not answered. */
export const moneyMovementSchema = z
  .object({
    transactionId: idSchema('txn'),
    type: z.enum(WALLET_TRANSACTION_TYPES),
    status: z.enum(WALLET_TRANSACTION_STATUSES),
    reason: z.string().nullable().meta({ description: 'Why it FAILED.' }),
    walletId: z.string(),
    amount: minorSchema,
    currency: z.string(),
    balanceAfter: minorSchema.nullable().meta({
      description: 'Minor units available in the wallet right behind its posting; null when nothing was posted.',
    }),
    paymentId: z.string().nullable().meta({ description: 'Of an ADD.' }),
    nextAction: z
      .object({ type: z.literal('redirect'), redirectUrl: z.string(), expiresAt: timeSchema })
      .nullable()
      .meta({ description: 'Of an ADD that waits for the payer: where he goes, and until when.' }),
    bankAccount: z.string().nullable().meta({ description: 'Of a WITHDRAW, masked.' }),
    createdAt: timeSchema,
    completedAt: timeSchema.nullable(),
  })
  .meta({ id: 'MoneyMovement' });
export type MoneyMovement = z.infer<typeof moneyMovementSchema>;

export const WALLET_EXCEPTION_KINDS = ['stuck', 'contradiction'] as const;

/** What the machine cannot decide and people must. */
export const walletExceptionSchema = z
  .object({
    exceptionId: z.string(),
    transactionId: z.string(),
    kind: z.enum(WALLET_EXCEPTION_KINDS).meta({
      description:
        '`stuck`: every inquiry has gone by without an end; it resolves itself when the end comes. `contradiction`: a bank or the ledger says what cannot be after what it said before.',
    }),
    detail: z.string(),
    createdAt: timeSchema,
    resolvedAt: timeSchema.nullable(),
    resolvedBy: z.string().nullable(),
    resolution: z.string().nullable(),
  })
  .meta({ id: 'WalletException' });
export type WalletExceptionView = z.infer<typeof walletExceptionSchema>;

/** GET /wallet-exceptions: newest first. */
export const listWalletExceptionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  open: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  transactionId: idSchema('txn').optional(),
});
export type ListWalletExceptionsQuery = z.infer<typeof listWalletExceptionsQuerySchema>;
export const walletExceptionPageSchema = pageOf(walletExceptionSchema).meta({ id: 'WalletExceptionPage' });

/** POST /wallet-exceptions/{id}/resolve */
export const resolveWalletExceptionSchema = z
  .strictObject({ resolution: textSchema(500).meta({ description: 'What was found, and what was done about it.' }) })
  .meta({ id: 'ResolveWalletException' });
export type ResolveWalletExceptionRequest = z.infer<typeof resolveWalletExceptionSchema>;
