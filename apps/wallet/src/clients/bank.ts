import { Injectable } from '@nestjs/common';
import { BankClient } from '@payflow/clients';
import { InjectConfig, Logger } from '@payflow/service';

import type { WalletConfig } from '../wallet.config.js';

/** The bank that the settings name. */
@Injectable()
export class Bank extends BankClient {
  constructor(@InjectConfig() config: WalletConfig, logger: Logger) {
    super({ url: config.BANK_URL, timeoutMs: config.BANK_TIMEOUT_MS }, logger);
  }
}
