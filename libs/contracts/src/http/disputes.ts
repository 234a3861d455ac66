import { z } from 'zod';

import { DISPUTE_RESPONSES, DISPUTE_STATUSES } from './acquirer-disputes.js';
import { paymentLedgerEntrySchema } from './payments.js';
import { idSchema, minorSchema, pageOf, pageQueryFields, timeSchema, withoutCardNumber } from './shared-fields.js';

const EVIDENCE_LENGTH_MAX = 5_000;

/** Text with line breaks: what a person writes. */
const evidenceText = withoutCardNumber(
  z
    .string()
    .max(EVIDENCE_LENGTH_MAX)
    .regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\r\n])*$/u, 'must not contain control characters'),
);

/** What a merchant can say about a disputed payment. An empty text takes a field back. */
export const disputeEvidenceSchema = z
  .strictObject({
    productDescription: evidenceText.optional(),
    customerName: evidenceText.optional(),
    customerEmailAddress: evidenceText.optional(),
    customerCommunication: evidenceText.optional(),
    serviceDate: evidenceText.optional(),
    shippingCarrier: evidenceText.optional(),
    shippingTrackingNumber: evidenceText.optional(),
    shippingDate: evidenceText.optional(),
    refundPolicy: evidenceText.optional(),
    refundRefusalExplanation: evidenceText.optional(),
    duplicateChargeExplanation: evidenceText.optional(),
    uncategorizedText: evidenceText.optional(),
  })
  .meta({ id: 'DisputeEvidence' });
export type DisputeEvidence = z.infer<typeof disputeEvidenceSchema>;

const disputeCore = {
  disputeId: z.string(),
  paymentId: z.string(),
  merchantId: z.string(),
  status: z.enum(DISPUTE_STATUSES),
  amount: minorSchema.meta({ description: 'What the acquirer took back; all or a part of the payment.' }),
  currency: z.string(),
  reason: z.string(),
  fee: minorSchema.meta({ description: 'Charged to the merchant for the dispute.' }),
  feeReturned: minorSchema.meta({ description: 'What of it came back.' }),
  acquirer: z.string(),
  acquirerReference: z.string().meta({ description: "The acquirer's id of the dispute." }),
  evidenceDueBy: timeSchema.meta({ description: 'Without a response until then the dispute is lost: EXPIRED.' }),
  response: z.enum(DISPUTE_RESPONSES).nullable().meta({
    description: 'What the merchant decided. While the status is NEEDS_RESPONSE the acquirer has yet to take it.',
  }),
  respondedAt: timeSchema.nullable(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
  closedAt: timeSchema.nullable(),
};

/** A dispute in lists. */
export const disputeSchema = z.object(disputeCore).meta({ id: 'Dispute' });
export type DisputeResponse = z.infer<typeof disputeSchema>;

/** GET /disputes/{id}, and the answer of the routes that change it. */
export const disputeDetailSchema = z
  .object({
    ...disputeCore,
    evidence: disputeEvidenceSchema.meta({ description: 'As it was written so far, or submitted.' }),
    ledgerEntries: z
      .array(paymentLedgerEntrySchema)
      .nullable()
      .meta({ description: "The payment's ledger lines of chargebacks; null while the ledger cannot be reached." }),
  })
  .meta({ id: 'DisputeDetail' });
export type DisputeDetailResponse = z.infer<typeof disputeDetailSchema>;

/** What a change of a dispute answers. */
export const disputeChangeSchema = disputeDetailSchema.omit({ ledgerEntries: true }).meta({ id: 'DisputeChange' });
export type DisputeChangeResponse = z.infer<typeof disputeChangeSchema>;

/** GET /disputes: newest first. */
export const listDisputesQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(DISPUTE_STATUSES).optional(),
  paymentId: idSchema('pay').optional(),
});
export type ListDisputesQuery = z.infer<typeof listDisputesQuerySchema>;
export const disputePageSchema = pageOf(disputeSchema).meta({ id: 'DisputePage' });

/** POST /disputes/{id}/submit and /accept: the dispute says all. */
export const respondToDisputeSchema = z.strictObject({}).meta({ id: 'RespondToDispute' });
