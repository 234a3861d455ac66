import { z } from 'zod';

import { transactionRequestSchema } from './ledger.js';
import { pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

export const LEDGER_APPROVAL_KINDS = ['posting', 'reversal'] as const;
export const LEDGER_APPROVAL_STATUSES = ['WAITING', 'APPROVED', 'REFUSED', 'EXPIRED'] as const;
export type LedgerApprovalStatus = (typeof LEDGER_APPROVAL_STATUSES)[number];

/** What one person wants in the ledger and another decides. Nothing is posted while it waits. */
export const ledgerApprovalSchema = z
  .object({
    approvalId: z.string(),
    kind: z.enum(LEDGER_APPROVAL_KINDS),
    status: z.enum(LEDGER_APPROVAL_STATUSES),
    transactions: z
      .array(transactionRequestSchema)
      .nullable()
      .meta({ description: 'What is posted, all or none; null for a reversal.' }),
    reverts: z.string().nullable().meta({ description: 'The transaction that a reversal takes back.' }),
    requestedBy: z.string(),
    requestedAt: timeSchema,
    expiresAt: timeSchema,
    decidedBy: z.string().nullable(),
    decidedAt: timeSchema.nullable(),
    reason: z.string().nullable().meta({ description: 'Why it was approved or refused.' }),
    transactionIds: z.array(z.string()).meta({ description: 'What was posted by it.' }),
  })
  .meta({ id: 'LedgerApproval' });
export type LedgerApprovalView = z.infer<typeof ledgerApprovalSchema>;

/** GET /ledger/approvals: newest first. */
export const listLedgerApprovalsQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(LEDGER_APPROVAL_STATUSES).optional(),
});
export type ListLedgerApprovalsQuery = z.infer<typeof listLedgerApprovalsQuerySchema>;
export const ledgerApprovalPageSchema = pageOf(ledgerApprovalSchema).meta({ id: 'LedgerApprovalPage' });

export const approveLedgerApprovalSchema = z
  .strictObject({ reason: textSchema(500).optional() })
  .meta({ id: 'ApproveLedgerApproval' });
export const refuseLedgerApprovalSchema = z
  .strictObject({ reason: textSchema(500) })
  .meta({ id: 'RefuseLedgerApproval' });
