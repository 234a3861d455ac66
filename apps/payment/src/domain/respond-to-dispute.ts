import { accept, type Decision, refuse } from '@payflow/kernel';

import type { RespondToDispute } from './commands.js';
import { disputeOf } from './dispute.js';
import type { PaymentEvent } from './events.js';
import type { Payment } from './payment.js';
import type { DisputeRefusal } from './refusals.js';

/** The merchant answers a dispute: once, before its deadline. The acquirer has the last word on whether it came in time. */
export const respondToDispute = (
  { disputes }: Payment,
  { at, disputeId, response, hasEvidence }: RespondToDispute,
): Decision<PaymentEvent, DisputeRefusal> => {
  const dispute = disputeOf(disputes, disputeId);
  if (!dispute) return refuse({ code: 'dispute_unknown' });
  const { status } = dispute;
  if (status !== 'NEEDS_RESPONSE' || dispute.response !== null || at >= dispute.evidenceDueBy)
    return refuse({ code: 'dispute_not_open', status });
  if (response === 'evidence' && !hasEvidence) return refuse({ code: 'dispute_evidence_missing' });
  return accept({ type: 'DisputeResponseOrdered', at, disputeId: dispute.disputeId, response });
};
