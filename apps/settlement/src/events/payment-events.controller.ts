import { Controller } from '@nestjs/common';
import { type Envelope, PAYMENT_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { BALANCES_CONSUMER } from '../application/hear-payments.js';
import { lineOf, type PaymentFact } from '../domain/balance-line.js';
import type { SettlementConfig } from '../settlement.config.js';
import { insertLines, type NewLine } from '../store/balance-transactions.js';

const HOUR_MS = 3_600_000;

/** What became of payments, as lines of their merchants' balances. */
@Controller()
export class PaymentEventsController {
  constructor(@InjectConfig() private readonly config: SettlementConfig) {}

  @Subscription({ consumer: BALANCES_CONSUMER, kind: 'payment', ordered: true })
  async record(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await insertLines(
      tx,
      deliveries.flatMap(({ envelope }) => this.lineOf(envelope) ?? []),
    );
  }

  private lineOf(envelope: Envelope): NewLine | undefined {
    const fact = factOf(envelope);
    const line = fact === undefined ? undefined : lineOf(fact);
    if (fact === undefined || line === undefined) return undefined;
    const { merchantId, currency, paymentId } = fact.payload;
    const occurredAt = new Date(envelope.occurredAt);
    return {
      ...line,
      id: newId('bt'),
      merchantId,
      currency,
      paymentId,
      sequence: envelope.sequence,
      occurredAt,
      availableOn: new Date(occurredAt.getTime() + this.config.SETTLEMENT_DELAY_HOURS * HOUR_MS),
    };
  }
}

const MOVING = ['captured', 'refunded', 'refundFailed', 'disputeOpened', 'disputeClosed'] as const;
const KNOWN_TYPES: ReadonlySet<string> = new Set(Object.values(PAYMENT_EVENTS).map(({ type }) => type));

const factOf = (envelope: Envelope): PaymentFact | undefined => {
  const event = MOVING.find((name) => PAYMENT_EVENTS[name].type === envelope.type);
  if (event === undefined) {
    if (!KNOWN_TYPES.has(envelope.type)) throw new PoisonError(`settlement does not know ${envelope.type}`);
    return undefined;
  }
  const parsed = PAYMENT_EVENTS[event].payload.safeParse(envelope.payload);
  if (!parsed.success) throw new PoisonError(`the payload is not that of ${envelope.type}`, { cause: parsed.error });
  const fact = { event, payload: parsed.data } as PaymentFact;
  if (fact.payload.paymentId !== envelope.aggregateId) throw new PoisonError('the event is about another payment');
  return fact;
};
