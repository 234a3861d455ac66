import type { LedgerApprovalView } from '@payflow/contracts';

import type { ApprovalRow } from '../store/approvals.js';

export const approvalResponse = (row: ApprovalRow): LedgerApprovalView => ({
  approvalId: row.id,
  kind: row.kind,
  status: row.status,
  transactions: row.request?.transactions ?? null,
  reverts: row.reverts,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  decidedBy: row.decided_by,
  decidedAt: row.decided_at?.toISOString() ?? null,
  reason: row.reason,
  transactionIds: [...row.transaction_ids],
});
