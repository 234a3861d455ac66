import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { TEST_BANK_ACCOUNTS } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { maskedIban } from '../domain/payout-account.js';
import type { SettlementConfig } from '../settlement.config.js';
import { findPayoutAccount, storePayoutAccount } from '../store/payout-accounts.js';
import { PayoutAccountSeal } from './payout-account-seal.js';

/** In a demo the merchant of the demo data is paid out to a test account, until somebody sets another. */
@Injectable()
export class DemoAccount implements OnApplicationBootstrap {
  constructor(
    private readonly database: Database,
    private readonly seal: PayoutAccountSeal,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const merchantId = this.config.DEMO_DATA?.merchant.merchantId;
    const iban = TEST_BANK_ACCOUNTS.find(({ behaviour }) => behaviour === 'paid')?.iban;
    if (!this.config.DEMO_MODE || merchantId === undefined || typeof iban !== 'string') return;
    await this.database.transaction(async (tx) => {
      if ((await findPayoutAccount(tx, merchantId)) !== undefined) return;
      const sealed = this.seal.seal({ iban, name: 'Demo merchant' }, merchantId);
      await storePayoutAccount(tx, { merchantId, sealed, masked: maskedIban(iban), updatedBy: 'demo' }, undefined);
    });
  }
}
