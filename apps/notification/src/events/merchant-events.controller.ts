import { Controller } from '@nestjs/common';
import { type Delivery, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { TakeEvents } from '../application/take-events.js';

/** Name consumer groups, inboxes and gates. Never renamed, or everything would be taken again. */
export const MERCHANT_EVENT_CONSUMERS = {
  payment: 'notification.merchant-payments',
  payout: 'notification.merchant-payouts',
  wallet: 'notification.merchant-wallets',
  settlement: 'notification.merchant-settlements',
  fraud: 'notification.merchant-fraud',
} as const;

export const MERCHANT_SETTLEMENT_TOPICS = ['settlement.completed'] as const;
export const MERCHANT_FRAUD_TOPICS = ['fraud.flagged'] as const;

/**
 * Everything that a merchant may be told of. A payment's, a payout's and a wallet transaction's events come in their order:
 * an endpoint may ask for it, and what came in disorder could not be sent in order.
 */
@Controller()
export class MerchantEventsController {
  constructor(private readonly events: TakeEvents) {}

  @Subscription({ consumer: MERCHANT_EVENT_CONSUMERS.payment, kind: 'payment', ordered: true })
  async ofPayments(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.take(deliveries, tx);
  }

  @Subscription({ consumer: MERCHANT_EVENT_CONSUMERS.payout, kind: 'payout', ordered: true })
  async ofPayouts(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.take(deliveries, tx);
  }

  @Subscription({ consumer: MERCHANT_EVENT_CONSUMERS.wallet, kind: 'wallet', ordered: true })
  async ofWallets(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.take(deliveries, tx);
  }

  @Subscription({
    consumer: MERCHANT_EVENT_CONSUMERS.settlement,
    kind: 'settlement',
    ordered: false,
    topics: MERCHANT_SETTLEMENT_TOPICS,
  })
  async ofSettlements(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.take(deliveries, tx);
  }

  @Subscription({
    consumer: MERCHANT_EVENT_CONSUMERS.fraud,
    kind: 'fraud',
    ordered: false,
    topics: MERCHANT_FRAUD_TOPICS,
  })
  async ofFraud(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.take(deliveries, tx);
  }

  private async take(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.events.take(
      tx,
      deliveries.map(({ envelope }) => envelope),
    );
  }
}
