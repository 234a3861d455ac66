import { accept, type Decision, refuse } from '@payflow/kernel';

import type { DisputeWord, RecordDispute } from './commands.js';
import { type Dispute, type DisputeEnd, isEnded } from './dispute.js';
import type { PaymentEvent } from './events.js';
import type { Payment } from './payment.js';
import type { DisputeWordRefusal } from './refusals.js';

const contradiction = ({ disputeId, status, amountMinor }: Dispute, word: DisputeWord) =>
  refuse({
    code: 'dispute_contradicts_record',
    disputeId,
    recorded: status,
    reported: word.status,
    recordedMinor: amountMinor,
    reportedMinor: word.amountMinor,
  } as const);

const ended = (
  { disputeId, feeMinor, feeReturnedMinor }: Pick<Dispute, 'disputeId' | 'feeMinor' | 'feeReturnedMinor'>,
  outcome: DisputeEnd,
  { at, feeReturnedWhenWon }: RecordDispute,
): PaymentEvent => ({
  type: 'DisputeClosed',
  at,
  disputeId,
  outcome,
  feeReturnedMinor: outcome === 'WON' && feeReturnedWhenWon ? feeMinor : feeReturnedMinor,
});

/** A dispute that was not known: from its beginning to how it stands. */
const opened = (command: RecordDispute): readonly PaymentEvent[] => {
  const { at, acquirer, disputeId, feeMinor, word } = command;
  const { acquirerReference, amountMinor, reason, evidenceDueBy, status } = word;
  const beginning: PaymentEvent = {
    type: 'DisputeOpened',
    at,
    disputeId,
    acquirer,
    acquirerReference,
    amountMinor,
    feeMinor,
    reason,
    evidenceDueBy,
  };
  return [
    beginning,
    ...(status === 'UNDER_REVIEW' ? [{ type: 'DisputeEvidenceSubmitted', at, disputeId } as const] : []),
    ...(isEnded(status) ? [ended({ disputeId, feeMinor, feeReturnedMinor: 0n }, status, command)] : []),
  ];
};

/**
 * The acquirer's word on a dispute, by whatever way it came: its feed, an inquiry after a webhook, the answer to our response.
 * The same word twice is no news, nor is one that is older than what is recorded; another end than the recorded one is for
 * people. A chargeback is never refused, whatever the payment looks like.
 */
export const recordDispute = (
  { disputes }: Payment,
  command: RecordDispute,
): Decision<PaymentEvent, DisputeWordRefusal> => {
  const { at, acquirer, word } = command;
  const dispute = disputes.find(
    (known) => known.acquirer === acquirer && known.acquirerReference === word.acquirerReference,
  );
  if (!dispute) return accept(...opened(command));
  if (word.amountMinor !== dispute.amountMinor) return contradiction(dispute, word);
  if (isEnded(dispute.status))
    return isEnded(word.status) && word.status !== dispute.status ? contradiction(dispute, word) : accept();
  if (isEnded(word.status)) return accept(ended(dispute, word.status, command));
  if (word.status === 'UNDER_REVIEW' && dispute.status === 'NEEDS_RESPONSE')
    return accept({ type: 'DisputeEvidenceSubmitted', at, disputeId: dispute.disputeId });
  return accept();
};
