import { Controller } from '@nestjs/common';
import { type Envelope, PAYMENT_EVENTS, type PaymentEventName } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { commitTransactions } from '../application/commit-transactions.js';
import { JournalMetrics } from '../application/journal-metrics.js';
import { detailOf } from '../application/posting-refusals.js';
import type { GroupDecision } from '../domain/journal.js';
import { draftOf } from '../domain/payment-draft.js';
import type { PaymentFact } from '../domain/payment-postings.js';

/** Names the consumer group, its inbox and its gates. Never renamed, or every event would be applied again. */
export const JOURNAL_CONSUMER = 'ledger.journal';

/** Whoever reads a payment waits for its entries. */
const PACE_MS = 10;

/** The other door into the journal: what became of payments, as facts. */
@Controller()
export class PaymentEventsController {
  constructor(private readonly metrics: JournalMetrics) {}

  @Subscription({ consumer: JOURNAL_CONSUMER, kind: 'payment', ordered: true, paceMs: PACE_MS })
  async record(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    const drafts = deliveries.flatMap(({ envelope }) => draftOf(envelope, factOf(envelope), newId('ltx')) ?? []);
    if (drafts.length === 0) return;
    const decisions = await commitTransactions(tx, [{ atomic: false, drafts }]);
    requireAllPosted(decisions);
    tx.onCommit(() => {
      this.metrics.observe('event', decisions);
    });
  }
}

const eventNames = Object.keys(PAYMENT_EVENTS) as PaymentEventName[];

const factOf = (envelope: Envelope): PaymentFact => {
  const event = eventNames.find((name) => PAYMENT_EVENTS[name].type === envelope.type);
  if (event === undefined) throw new PoisonError(`the ledger does not know ${envelope.type}`);
  const parsed = PAYMENT_EVENTS[event].payload.safeParse(envelope.payload);
  if (!parsed.success) throw new PoisonError(`the payload is not that of ${envelope.type}`, { cause: parsed.error });
  const fact = { event, payload: parsed.data } as PaymentFact;
  if (fact.payload.paymentId !== envelope.aggregateId) throw new PoisonError('the event is about another payment');
  if (fact.event === 'canceled' && fact.payload.acquirer === null && fact.payload.released > 0) {
    throw new PoisonError('a hold was released at no acquirer');
  }
  return fact;
};

/** A fact that cannot be posted is for people to look at: rolled back, and the guilty event goes to the dead letters. */
const requireAllPosted = (decisions: readonly GroupDecision[]): void => {
  for (const { outcomes } of decisions) {
    for (const outcome of outcomes) {
      if (outcome.kind === 'refused') throw new PoisonError(detailOf(outcome.refusal));
    }
  }
};
