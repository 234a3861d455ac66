import { PAYMENT_EVENTS, type PaymentEventName } from '@payflow/contracts';
import type { OutgoingEvent } from '@payflow/messaging';

import { publicationOf } from '../../apps/payment/src/application/publications.js';
import { evolve } from '../../apps/payment/src/domain/evolve.js';
import { initialPayment, type Payment } from '../../apps/payment/src/domain/payment.js';
import type { StoredEvent } from '../../apps/payment/src/store/payment-events.js';
import { type PaymentFact, postingsOf } from '../../apps/ledger/src/domain/payment-postings.js';
import { paymentReference } from '../../apps/ledger/src/domain/references.js';

/** A published event of a payment: its number, and the payment as it is right after it. */
export interface Publication {
  readonly sequence: number;
  readonly event: OutgoingEvent;
  readonly payment: Payment;
}

/** What a history tells the world, through the payment service's own functions. */
export const publicationsOf = (history: readonly StoredEvent[]): readonly Publication[] => {
  const publications: Publication[] = [];
  let payment = initialPayment;
  for (const { event } of history) {
    payment = evolve(payment, event);
    const published = publicationOf(event, payment);
    if (published !== undefined) publications.push({ sequence: publications.length + 1, event: published, payment });
  }
  return publications;
};

/** A transaction of the journal as far as the history of a payment decides it: one line for each leg, in order. */
export interface JournalTransaction {
  readonly reference: string;
  readonly type: string;
  readonly lines: readonly string[];
}

/** One spelling of a leg, for the expected ones and for those of the journal. */
export const legText = (leg: {
  readonly line: number;
  readonly direction: string;
  readonly account: string;
  readonly amountMinor: bigint | number | string;
  readonly currency: string;
  readonly entryType: string;
}): string => `${leg.line} ${leg.direction} ${leg.account} ${leg.amountMinor} ${leg.currency} ${leg.entryType}`;

const eventNames = new Map(
  (Object.keys(PAYMENT_EVENTS) as PaymentEventName[]).map((name) => [PAYMENT_EVENTS[name].type as string, name]),
);

/** What the ledger posts for a published event, through the ledger's own functions; undefined when no money moved. */
export const expectedTransaction = ({ sequence, event }: Publication): JournalTransaction | undefined => {
  const fact = { event: eventNames.get(event.definition.type), payload: event.payload } as PaymentFact;
  const { type, postings } = postingsOf(fact);
  if (postings.length === 0) return undefined;
  const lines = postings.flatMap(({ from, to, amountMinor, currency, entryType }, index) => [
    legText({ line: 2 * index + 1, direction: 'debit', account: from, amountMinor, currency, entryType }),
    legText({ line: 2 * index + 2, direction: 'credit', account: to, amountMinor, currency, entryType }),
  ]);
  return { reference: paymentReference(event.aggregateId, sequence), type, lines };
};
