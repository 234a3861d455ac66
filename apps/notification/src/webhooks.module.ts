import { Module } from '@nestjs/common';

import { ChangeEndpoints } from './application/change-endpoints.js';
import { DeliverWebhooks } from './application/deliver-webhooks.js';
import { EndpointRequests } from './application/endpoint-requests.js';
import { EventFeed } from './application/event-feed.js';
import { ForgetOldEvents } from './application/forget-old-events.js';
import { OweWebhooks } from './application/owe-webhooks.js';
import { ReadEndpoints } from './application/read-endpoints.js';
import { RecordTries } from './application/record-tries.js';
import { TakeEvents } from './application/take-events.js';
import { WebhookSecrets } from './application/webhook-secrets.js';
import { ReceiverAddresses } from './clients/receiver-addresses.js';
import { WebhookClient } from './clients/webhook-client.js';
import { MerchantEventsController } from './events/merchant-events.controller.js';
import { EventFeedController } from './http/event-feed.controller.js';
import { WebhookDeliveriesController } from './http/webhook-deliveries.controller.js';
import { WebhookEndpointsController } from './http/webhook-endpoints.controller.js';

/** What merchants are told of: their feeds, their endpoints, and what is on its way to them. */
@Module({
  controllers: [MerchantEventsController, WebhookEndpointsController, WebhookDeliveriesController, EventFeedController],
  providers: [
    ChangeEndpoints,
    DeliverWebhooks,
    EndpointRequests,
    EventFeed,
    ForgetOldEvents,
    OweWebhooks,
    ReadEndpoints,
    ReceiverAddresses,
    RecordTries,
    TakeEvents,
    WebhookClient,
    WebhookSecrets,
  ],
})
export class WebhooksModule {}
