import { Injectable, Module } from '@nestjs/common';
import { ServiceCalls } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { SettlementConfig } from '../settlement.config.js';

/** The other services of PayFlow, called with this service's own token. */
@Injectable()
export class SettlementCalls extends ServiceCalls {
  constructor(@InjectConfig() config: SettlementConfig) {
    super('settlement', config, { payment: config.PAYMENT_URL });
  }
}

@Module({ providers: [SettlementCalls], exports: [SettlementCalls] })
export class SettlementCallsModule {}
