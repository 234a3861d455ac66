import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerClient } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { WalletConfig } from '../wallet.config.js';
import { OwnersAtAuth } from './owners-at-auth.js';
import { WalletCalls, WalletCallsModule } from './service-calls.js';

/** The ledger: the only one who knows a balance, and who decides whether there is enough. */
@Injectable()
export class Ledger extends LedgerClient implements OnApplicationShutdown {
  constructor(calls: WalletCalls, @InjectConfig() config: WalletConfig) {
    super({ url: config.LEDGER_URL, accessToken: calls.serviceToken });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }
}

@Module({
  imports: [WalletCallsModule],
  providers: [Ledger, OwnersAtAuth],
  exports: [Ledger, OwnersAtAuth, WalletCallsModule],
})
export class ClientsModule {}
