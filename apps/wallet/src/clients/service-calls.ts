import { Injectable, Module } from '@nestjs/common';
import { ServiceCalls } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { WalletConfig } from '../wallet.config.js';

/** The other services of PayFlow, called with this service's own token. */
@Injectable()
export class WalletCalls extends ServiceCalls {
  constructor(@InjectConfig() config: WalletConfig) {
    super('wallet', config, { user: config.AUTH_URL });
  }
}

@Module({ providers: [WalletCalls], exports: [WalletCalls] })
export class WalletCallsModule {}
