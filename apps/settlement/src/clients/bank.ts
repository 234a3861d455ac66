import { Injectable } from '@nestjs/common';
import { BankClient } from '@payflow/clients';
import { InjectConfig, Logger } from '@payflow/service';

import type { SettlementConfig } from '../settlement.config.js';

/** The bank that the settings name. */
@Injectable()
export class Bank extends BankClient {
  constructor(@InjectConfig() config: SettlementConfig, logger: Logger) {
    super({ url: config.BANK_URL, timeoutMs: config.BANK_TIMEOUT_MS }, logger);
  }
}
