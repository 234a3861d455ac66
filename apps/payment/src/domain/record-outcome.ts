import { accept, refuse, unreachable } from '@payflow/kernel';

import { authorizationOutcome, lateSuccess } from './authorization-outcome.js';
import type { AcquirerOutcome, RecordOutcome } from './commands.js';
import { captureOutcome, lateApproval, refundOutcome, voidOutcome } from './follow-up-outcome.js';
import { failureOf, type OutcomeDecision } from './outcome.js';
import { isOpen, type Operation, operationOf, type Payment } from './payment.js';

type Reported = Exclude<AcquirerOutcome, { kind: 'unanswered' | 'action_required' | 'not_sent' }>;

const isApproval = ({ kind }: AcquirerOutcome): boolean => kind === 'approved' || kind === 'partially_approved';

/** What no history of an operation can go to from where it ended: for people to look at, never an overwrite. */
const contradiction = (operation: Operation, reported: Reported): OutcomeDecision =>
  refuse({
    code: 'outcome_contradicts_record',
    operationId: operation.id,
    recorded: operation.state,
    reported: reported.kind,
  });

/**
 * News of an operation that has ended. The same news twice is no news, and neither is an old "not yet", or that somebody's
 * try never left the house: that is no word of the acquirer's. A refund that succeeded may still fail. An attempt that was
 * refused may still turn out to be approved, which is undone: its payer has gone. A capture, void or refund that was
 * refused and done after all is taken as done where there is room for it: the merchant had asked for it.
 */
const alreadyEnded = (payment: Payment, operation: Operation, command: RecordOutcome): OutcomeDecision => {
  const { at, outcome } = command;
  if (outcome.kind === 'unanswered' || outcome.kind === 'action_required' || outcome.kind === 'not_sent')
    return accept();
  if (operation.state === 'approved') {
    if (isApproval(outcome)) return accept();
    if (operation.kind !== 'refund' || outcome.kind !== 'declined') return contradiction(operation, outcome);
    const { id: refundId, amountMinor } = operation;
    return accept({
      type: 'RefundFailed',
      at,
      refundId,
      amountMinor,
      failure: failureOf(outcome),
      hadSucceeded: true,
    });
  }
  if (outcome.kind === 'declined') return accept();
  if (operation.kind === 'authorize') return lateSuccess(operation, command);
  const late = outcome.kind === 'approved' ? lateApproval(payment, operation, command, outcome) : undefined;
  return late ?? contradiction(operation, outcome);
};

/**
 * The acquirer's word on an operation, by whatever way it came: the answer itself, an inquiry, a webhook. Whoever comes
 * first decides; whoever says the same later changes nothing.
 */
export const recordOutcome = (payment: Payment, command: RecordOutcome): OutcomeDecision => {
  const operation = operationOf(payment, command.operationId);
  if (!operation) return refuse({ code: 'operation_unknown', operationId: command.operationId });
  if (!isOpen(operation)) return alreadyEnded(payment, operation, command);
  switch (operation.kind) {
    case 'authorize':
      return authorizationOutcome(payment, operation, command);
    case 'capture':
      return captureOutcome(payment, operation, command);
    case 'void':
      return voidOutcome(payment, operation, command);
    case 'refund':
      return refundOutcome(operation, command);
    default:
      return unreachable(operation);
  }
};
