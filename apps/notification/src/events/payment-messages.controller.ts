import { Controller } from '@nestjs/common';
import { type Envelope, PAYMENT_EVENTS } from '@payflow/contracts';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { Announce } from '../application/announce.js';
import { ofCapture, ofDispute, ofFailure, ofRefund, ofRefundFailure } from '../domain/announcements.js';
import type { Announcement } from '../domain/message.js';
import { payloadOf } from './payload-of.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be told again. */
export const PAYMENT_MESSAGES_CONSUMER = 'notification.payment-messages';

/** Of what happens to a payment, what its payer or its merchant is written about. Each message stands alone: no order. */
export const PAYMENT_MESSAGES_TOPICS = [
  'payment.captured',
  'payment.failed',
  'payment.refunded',
  'refund.failed',
  'dispute.opened',
] as const;

@Controller()
export class PaymentMessagesController {
  constructor(private readonly announce: Announce) {}

  @Subscription({
    consumer: PAYMENT_MESSAGES_CONSUMER,
    kind: 'payment',
    ordered: false,
    topics: PAYMENT_MESSAGES_TOPICS,
  })
  async tell(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.announce.run(
      tx,
      deliveries.map((delivery) => ({ delivery, announcements: announcementsOf(delivery.envelope) })),
    );
  }
}

const announcementsOf = (envelope: Envelope): readonly Announcement[] => {
  switch (envelope.type) {
    case PAYMENT_EVENTS.captured.type:
      return ofCapture(payloadOf(PAYMENT_EVENTS.captured, envelope));
    case PAYMENT_EVENTS.failed.type:
      return ofFailure(payloadOf(PAYMENT_EVENTS.failed, envelope));
    case PAYMENT_EVENTS.refunded.type:
      return ofRefund(payloadOf(PAYMENT_EVENTS.refunded, envelope));
    case PAYMENT_EVENTS.refundFailed.type:
      return ofRefundFailure(payloadOf(PAYMENT_EVENTS.refundFailed, envelope));
    case PAYMENT_EVENTS.disputeOpened.type:
      return ofDispute(payloadOf(PAYMENT_EVENTS.disputeOpened, envelope));
    default:
      throw new PoisonError(`the notification service does not know ${envelope.type}`);
  }
};
