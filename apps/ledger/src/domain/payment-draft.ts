import type { Envelope } from '@payflow/contracts';

import type { TransactionDraft } from './journal.js';
import { type PaymentFact, postingsOf } from './payment-postings.js';
import { paymentReference } from './references.js';

/** The transaction an event posts, or none. Its reference is made of payment and sequence: it posts once for ever. */
export const draftOf = (envelope: Envelope, fact: PaymentFact, transactionId: string): TransactionDraft | undefined => {
  const { type, postings, acquirerReference } = postingsOf(fact);
  if (postings.length === 0) return undefined;
  const { paymentId, merchantId } = fact.payload;
  return {
    transactionId,
    authority: 'event',
    reference: paymentReference(paymentId, envelope.sequence),
    type,
    postings,
    refusalIsFinal: false,
    opens: postings.flatMap(({ from, to, currency }) =>
      [from, to].map((code) => ({ code, currency, floorMinor: null })),
    ),
    effectiveAt: new Date(envelope.occurredAt),
    metadata: fact.payload.metadata,
    provenance: {
      paymentId,
      merchantId,
      eventId: envelope.eventId,
      acquirerReference,
      reverts: null,
      postedBy: null,
      correlationId: envelope.correlationId,
    },
  };
};
