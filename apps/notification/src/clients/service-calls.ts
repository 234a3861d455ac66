import { Injectable, Module } from '@nestjs/common';
import { ServiceCalls } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { NotificationConfig } from '../notification.config.js';

/** The other services of PayFlow, called with this service's own token. */
@Injectable()
export class NotificationCalls extends ServiceCalls {
  constructor(@InjectConfig() config: NotificationConfig) {
    super('notification', config, {
      payment: config.PAYMENT_URL,
      user: config.AUTH_URL,
      wallet: config.WALLET_URL,
      settlement: config.SETTLEMENT_URL,
      payout: config.SETTLEMENT_URL,
      fraud: config.FRAUD_URL,
    });
  }
}

@Module({ providers: [NotificationCalls], exports: [NotificationCalls] })
export class NotificationCallsModule {}
