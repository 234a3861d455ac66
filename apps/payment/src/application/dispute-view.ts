import type { DisputeChangeResponse, DisputeEvidence, DisputeResponse } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import type { DisputeRow } from '../store/disputes.js';

/** A dispute in lists. */
export const disputeView = (row: DisputeRow): DisputeResponse => ({
  disputeId: row.id,
  paymentId: row.payment_id,
  merchantId: row.merchant_id,
  status: row.status,
  amount: minorToJson(row.amount),
  currency: row.currency,
  reason: row.reason,
  fee: minorToJson(row.fee_minor),
  feeReturned: minorToJson(row.fee_returned_minor),
  acquirer: row.acquirer,
  acquirerReference: row.acquirer_reference,
  evidenceDueBy: row.evidence_due_by.toISOString(),
  response: row.response,
  respondedAt: row.responded_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  closedAt: row.closed_at?.toISOString() ?? null,
});

/** A dispute with what was written about it. */
export const disputeChangeView = (row: DisputeRow, evidence: DisputeEvidence): DisputeChangeResponse => ({
  ...disputeView(row),
  evidence,
});
