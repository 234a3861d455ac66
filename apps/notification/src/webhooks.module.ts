import { Module } from '@nestjs/common';

import { DeliverWebhooks } from './application/deliver-webhooks.js';
import { ForgetOldEvents } from './application/forget-old-events.js';
import { RecordTries } from './application/record-tries.js';
import { TakeEvents } from './application/take-events.js';
import { WebhookSecrets } from './application/webhook-secrets.js';
import { ReceiverAddresses } from './clients/receiver-addresses.js';
import { WebhookClient } from './clients/webhook-client.js';
import { MerchantEventsController } from './events/merchant-events.controller.js';

/** What merchants are told of: their feeds, their endpoints, and what is on its way to them. */
@Module({
  controllers: [MerchantEventsController],
  providers: [
    DeliverWebhooks,
    ForgetOldEvents,
    ReceiverAddresses,
    RecordTries,
    TakeEvents,
    WebhookClient,
    WebhookSecrets,
  ],
})
export class WebhooksModule {}
