import { Module } from '@nestjs/common';

import { BankClient } from './bank-client.js';
import { Ledger } from './ledger.js';
import { MerchantsAtAuth } from './merchants-at-auth.js';
import { SettlementCallsModule } from './service-calls.js';

@Module({
  imports: [SettlementCallsModule],
  providers: [BankClient, Ledger, MerchantsAtAuth],
  exports: [BankClient, Ledger, MerchantsAtAuth],
})
export class ClientsModule {}
