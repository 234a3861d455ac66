import { Controller } from '@nestjs/common';
import { type Envelope, PAYOUT_EVENTS } from '@payflow/contracts';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { Announce } from '../application/announce.js';
import { ofFailedPayout, ofPaidPayout, ofReturnedPayout } from '../domain/announcements.js';
import type { Announcement } from '../domain/message.js';
import { payloadOf } from './payload-of.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be told again. */
export const PAYOUT_MESSAGES_CONSUMER = 'notification.payout-messages';

/** What became of a merchant's payouts. That one was ordered is no news. */
export const PAYOUT_MESSAGES_TOPICS = ['payout.paid', 'payout.failed', 'payout.returned'] as const;

@Controller()
export class PayoutMessagesController {
  constructor(private readonly announce: Announce) {}

  @Subscription({ consumer: PAYOUT_MESSAGES_CONSUMER, kind: 'payout', ordered: false, topics: PAYOUT_MESSAGES_TOPICS })
  async tell(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.announce.run(
      tx,
      deliveries.map((delivery) => ({ delivery, announcements: announcementsOf(delivery.envelope) })),
    );
  }
}

const announcementsOf = (envelope: Envelope): readonly Announcement[] => {
  switch (envelope.type) {
    case PAYOUT_EVENTS.paid.type:
      return ofPaidPayout(payloadOf(PAYOUT_EVENTS.paid, envelope));
    case PAYOUT_EVENTS.failed.type:
      return ofFailedPayout(payloadOf(PAYOUT_EVENTS.failed, envelope));
    case PAYOUT_EVENTS.returned.type:
      return ofReturnedPayout(payloadOf(PAYOUT_EVENTS.returned, envelope));
    default:
      throw new PoisonError(`the notification service does not know ${envelope.type}`);
  }
};
