import { Module } from '@nestjs/common';

import { Announce } from './application/announce.js';
import { MessagePreferencesOf } from './application/message-preferences.js';
import { ReadMailbox } from './application/read-mailbox.js';
import { SendMessages } from './application/send-messages.js';
import { Senders } from './application/senders.js';
import { WriteLetter } from './application/write-letter.js';
import { MailboxAtAuth } from './clients/mailbox-at-auth.js';
import { PaymentMessagesController } from './events/payment-messages.controller.js';
import { PayoutMessagesController } from './events/payout-messages.controller.js';
import { UserMessagesController } from './events/user-messages.controller.js';
import { WalletMessagesController } from './events/wallet-messages.controller.js';
import { MailboxController } from './http/mailbox.controller.js';
import { PreferencesController } from './http/preferences.controller.js';

/** Mails and SMS: whom they go to, what they say, and that they go out. */
@Module({
  controllers: [
    UserMessagesController,
    PaymentMessagesController,
    PayoutMessagesController,
    WalletMessagesController,
    PreferencesController,
    MailboxController,
  ],
  providers: [Announce, SendMessages, Senders, WriteLetter, MessagePreferencesOf, ReadMailbox, MailboxAtAuth],
})
export class MessagesModule {}
