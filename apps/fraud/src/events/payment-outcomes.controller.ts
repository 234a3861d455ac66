import { Controller } from '@nestjs/common';
import { type Delivery, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { OUTCOMES_TOPICS, outcomesOf } from '../application/payment-outcomes.js';
import { applyOutcomes } from '../store/outcomes.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be applied again. */
export const OUTCOMES_CONSUMER = 'fraud.outcomes';

/** What became of payments: declines are counted, the rest is remembered for the statistics of the rules. */
@Controller()
export class PaymentOutcomesController {
  /** In no order: the first of each kind is all that matters. */
  @Subscription({ consumer: OUTCOMES_CONSUMER, kind: 'payment', ordered: false, topics: OUTCOMES_TOPICS })
  async learn(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await applyOutcomes(tx, outcomesOf(deliveries.map(({ envelope }) => envelope)));
  }
}
