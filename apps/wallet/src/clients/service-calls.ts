import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceTokens } from '@payflow/clients';
import type { OwnerAccess } from '@payflow/messaging';
import { InjectConfig } from '@payflow/service';

import type { WalletConfig } from '../wallet.config.js';

/** With what the wallet service calls the others: its own access token. */
@Injectable()
export class ServiceCalls implements OwnerAccess, OnApplicationShutdown {
  readonly ownerUrls: OwnerAccess['ownerUrls'];
  readonly serviceToken: OwnerAccess['serviceToken'];
  private readonly tokens: ServiceTokens;

  constructor(@InjectConfig() config: WalletConfig) {
    const tokens = new ServiceTokens({
      authUrl: config.AUTH_URL,
      clientId: 'svc_wallet',
      clientSecret: config.SERVICE_CLIENT_SECRET,
    });
    this.tokens = tokens;
    this.ownerUrls = { user: config.AUTH_URL };
    this.serviceToken = () => tokens.accessToken();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tokens.close();
  }
}

@Module({ providers: [ServiceCalls], exports: [ServiceCalls] })
export class ServiceCallsModule {}
