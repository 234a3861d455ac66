import { Module } from '@nestjs/common';

import { Bank } from './bank.js';
import { Ledger } from './ledger.js';
import { MerchantsAtAuth } from './merchants-at-auth.js';
import { SettlementCallsModule } from './service-calls.js';

@Module({
  imports: [SettlementCallsModule],
  providers: [Bank, Ledger, MerchantsAtAuth],
  exports: [Bank, Ledger, MerchantsAtAuth],
})
export class ClientsModule {}
