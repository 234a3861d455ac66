import { Controller } from '@nestjs/common';
import { type Envelope, SETTLEMENT_EVENTS } from '@payflow/contracts';
import { type Delivery, inContextOf, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { currentContext } from '@payflow/service';
import type { z } from 'zod';

import { SettlePayments } from '../application/settle-payments.js';
import { partsOf } from '../domain/settlement-parts.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be applied again. */
export const SETTLEMENTS_CONSUMER = 'payment.settlements';
export const SETTLEMENTS_TOPICS = ['settlement.lines'] as const;

type Lines = z.infer<(typeof SETTLEMENT_EVENTS)['lines']['payload']>;

/** What settlements have taken in, payment by payment. */
@Controller()
export class SettlementLinesController {
  constructor(private readonly settling: SettlePayments) {}

  /** Some thousands of payments may come at once: one set-based statement for each table, not a payment at a time. */
  @Subscription({ consumer: SETTLEMENTS_CONSUMER, kind: 'settlement', ordered: false, topics: SETTLEMENTS_TOPICS })
  async settle(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    const parts = deliveries.flatMap((delivery) => {
      // Of several deliveries none is "the" cause: each publication names its own.
      const context = inContextOf(delivery, currentContext);
      return partsOf(linesIn(delivery.envelope)).map((part) => ({ ...part, context }));
    });
    await this.settling.run(tx, parts);
  }
}

const linesIn = (envelope: Envelope): Lines => {
  if (envelope.type !== SETTLEMENT_EVENTS.lines.type) throw new PoisonError(`payment does not know ${envelope.type}`);
  const parsed = SETTLEMENT_EVENTS.lines.payload.safeParse(envelope.payload);
  if (!parsed.success) throw new PoisonError(`the payload is not that of ${envelope.type}`, { cause: parsed.error });
  return parsed.data;
};
