import { z } from 'zod';

import { acquirerReferenceSchema } from './acquirer.js';
import { holdIdSchema } from './wallets.js';
import {
  amountSchema,
  currencySchema,
  idSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  timeSchema,
} from './shared-fields.js';

/*
 * The wallet service as an acquirer of `payment`. Each order carries our `reference`, which is its key there for ever; it is
 * answered like an order at any acquirer (AcquirerOperation), and asked about by its reference.
 */

const partiesFields = { merchantId: idSchema('mer'), paymentId: idSchema('pay') };
const moneyFields = { reference: acquirerReferenceSchema, amount: amountSchema, currency: currencySchema };
/** What an approved authorization was answered with. */
const heldField = { holdId: holdIdSchema };

/** POST /internal/wallet-orders */
export const walletOrderRequestSchema = z.discriminatedUnion('operation', [
  z.strictObject({
    operation: z.literal('authorize'),
    ...moneyFields,
    ...partiesFields,
    /** As the caller wrote it: a wallet that does not exist declines. */
    walletId: z.string().min(1).max(64),
    /** The person whose own token confirmed the payment. Null: the owner is asked, unless there is a `consent`. */
    confirmedBy: z.string().nullable(),
    /** The wallet transaction by which the owner asked for this payment himself (POST /wallet/pay). */
    consent: z.string().max(64).nullable(),
    description: textSchema(1000).optional(),
  }),
  z.strictObject({ operation: z.literal('capture'), ...moneyFields, ...heldField, final: z.boolean() }),
  z.strictObject({ operation: z.literal('void'), ...moneyFields, ...heldField }),
  z.strictObject({
    operation: z.literal('reverse'),
    ...moneyFields,
    ...partiesFields,
    /** The authorization that is undone, seen or not: should it arrive later, it is declined. */
    originalReference: acquirerReferenceSchema,
  }),
  z.strictObject({ operation: z.literal('refund'), ...moneyFields, ...heldField }),
]);
export type WalletOrderRequest = z.infer<typeof walletOrderRequestSchema>;

export const APPROVAL_STATUSES = ['WAITING', 'APPROVED', 'DECLINED', 'EXPIRED'] as const;
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

/** What a merchant asks of a wallet, and its owner decides. */
export const walletApprovalSchema = z
  .object({
    approvalId: z.string(),
    walletId: z.string(),
    merchantId: z.string(),
    paymentId: z.string(),
    amount: amountSchema,
    currency: z.string(),
    description: z.string().nullable(),
    status: z.enum(APPROVAL_STATUSES).meta({
      description:
        'EXPIRED: its time ran out, or the merchant no longer asks. DECLINED also where nothing could be held.',
    }),
    reason: z.string().nullable().meta({ description: 'Why nothing was paid.' }),
    expiresAt: timeSchema,
    createdAt: timeSchema,
  })
  .meta({ id: 'WalletApproval' });
export type WalletApproval = z.infer<typeof walletApprovalSchema>;

/** GET /wallet/approvals: newest first. */
export const listApprovalsQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(APPROVAL_STATUSES).optional(),
});
export type ListApprovalsQuery = z.infer<typeof listApprovalsQuerySchema>;
export const walletApprovalPageSchema = pageOf(walletApprovalSchema).meta({ id: 'WalletApprovalPage' });
