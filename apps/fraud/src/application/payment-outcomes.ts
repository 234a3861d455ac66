import { type Envelope, PAYMENT_EVENTS } from '@payflow/contracts';

import type { PaymentOutcome } from '../store/outcomes.js';

const KINDS: Readonly<Record<string, PaymentOutcome['kind']>> = {
  [PAYMENT_EVENTS.failed.type]: 'declined',
  [PAYMENT_EVENTS.captured.type]: 'captured',
  [PAYMENT_EVENTS.refunded.type]: 'refunded',
  [PAYMENT_EVENTS.disputeOpened.type]: 'disputed',
};

/** Where events are that tell of an outcome. */
export const OUTCOMES_TOPICS = ['payment.failed', 'payment.captured', 'payment.refunded', 'dispute.opened'] as const;

/** A payment that failed without an acquirer was declined by nobody: fraud itself may have blocked it. */
const isDecline = ({ payload }: Envelope): boolean => typeof payload['acquirer'] === 'string';

/** What events tell of the outcomes of their payments; the inbox has checked them. */
export const outcomesOf = (envelopes: readonly Envelope[]): readonly PaymentOutcome[] =>
  envelopes.flatMap((envelope) => {
    const kind = KINDS[envelope.type];
    if (kind === undefined || (kind === 'declined' && !isDecline(envelope))) return [];
    return { paymentId: envelope.aggregateId, kind, at: new Date(envelope.occurredAt) };
  });
