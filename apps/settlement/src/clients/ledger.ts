import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerClient } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { SettlementConfig } from '../settlement.config.js';
import { SettlementCalls } from './service-calls.js';

/** The ledger, which has what merchants are owed as accounts. */
@Injectable()
export class Ledger extends LedgerClient implements OnApplicationShutdown {
  constructor(calls: SettlementCalls, @InjectConfig() config: SettlementConfig) {
    super({ url: config.LEDGER_URL, accessToken: calls.serviceToken });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }
}
