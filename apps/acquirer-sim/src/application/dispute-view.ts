import type { AcquirerChargeback, AcquirerDispute } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import type { ChargebackRow, DisputeRow } from '../store/disputes.js';

/** Disputes as the simulator answers them. */
export const disputeOf = (row: DisputeRow): AcquirerDispute => ({
  disputeId: row.disputeId,
  paymentId: row.paymentId,
  authorizationId: row.authorizationId,
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  reason: row.reason,
  status: row.status,
  evidenceDueBy: row.evidenceDueBy.toISOString(),
  response: row.response,
  responseReference: row.responseReference,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

export const chargebackOf = (row: ChargebackRow): AcquirerChargeback => ({
  position: Number(row.position),
  disputeId: row.disputeId,
  kind: row.kind,
  paymentId: row.paymentId,
  merchantId: row.merchantId,
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  createdAt: row.createdAt.toISOString(),
});
