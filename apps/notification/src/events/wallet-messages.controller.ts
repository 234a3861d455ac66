import { Controller } from '@nestjs/common';
import { type Envelope, WALLET_EVENTS } from '@payflow/contracts';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { Announce } from '../application/announce.js';
import { ofWalletTransaction } from '../domain/announcements.js';
import type { Announcement } from '../domain/message.js';
import { payloadOf } from './payload-of.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be told again. */
export const WALLET_MESSAGES_CONSUMER = 'notification.wallet-messages';

/** Money that arrived in somebody's wallet. */
@Controller()
export class WalletMessagesController {
  constructor(private readonly announce: Announce) {}

  @Subscription({ consumer: WALLET_MESSAGES_CONSUMER, kind: 'wallet', ordered: false })
  async tell(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await this.announce.run(
      tx,
      deliveries.map((delivery) => ({ delivery, announcements: announcementsOf(delivery.envelope) })),
    );
  }
}

const announcementsOf = (envelope: Envelope): readonly Announcement[] => {
  if (envelope.type !== WALLET_EVENTS.transaction.type)
    throw new PoisonError(`the notification service does not know ${envelope.type}`);
  return ofWalletTransaction(payloadOf(WALLET_EVENTS.transaction, envelope));
};
