import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceTokens } from '@payflow/clients';
import type { OwnerAccess } from '@payflow/messaging';
import { InjectConfig } from '@payflow/service';

import type { LedgerConfig } from '../ledger.config.js';

/** The payment service as the owner of payments' events: asked for those that Kafka did not bring. */
@Injectable()
export class PaymentOwner implements OwnerAccess, OnApplicationShutdown {
  readonly ownerUrls: OwnerAccess['ownerUrls'];
  readonly serviceToken: OwnerAccess['serviceToken'];
  private readonly tokens: ServiceTokens;

  constructor(@InjectConfig() config: LedgerConfig) {
    const tokens = new ServiceTokens({
      authUrl: config.AUTH_URL,
      clientId: 'svc_ledger',
      clientSecret: config.SERVICE_CLIENT_SECRET,
    });
    this.tokens = tokens;
    this.ownerUrls = { payment: config.PAYMENT_URL };
    this.serviceToken = () => tokens.accessToken();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tokens.close();
  }
}

@Module({ providers: [PaymentOwner], exports: [PaymentOwner] })
export class PaymentOwnerModule {}
