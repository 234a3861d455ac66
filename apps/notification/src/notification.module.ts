import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { NotificationCalls, NotificationCallsModule } from './clients/service-calls.js';
import { PaymentTimelineController } from './http/payment-timeline.controller.js';
import { MessagesModule } from './messages.module.js';
import { notificationConfigSchema } from './notification.config.js';
import { WebhooksModule } from './webhooks.module.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'notification', configSchema: notificationConfigSchema, database: true }),
    NotificationCallsModule,
    MessagesModule,
    WebhooksModule,
    MessagingModule.forRootAsync({
      service: 'notification',
      imports: [NotificationCallsModule],
      inject: [NotificationCalls],
      useFactory: ({ ownerUrls, serviceToken }: NotificationCalls) => ({ ownerUrls, serviceToken }),
    }),
  ],
  controllers: [PaymentTimelineController],
})
export class NotificationModule {}
