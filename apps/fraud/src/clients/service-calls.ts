import { Injectable, Module } from '@nestjs/common';
import { ServiceCalls } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { FraudConfig } from '../fraud.config.js';

/** The other services of PayFlow, called with this service's own token. */
@Injectable()
export class FraudCalls extends ServiceCalls {
  constructor(@InjectConfig() config: FraudConfig) {
    super('fraud', config, { payment: config.PAYMENT_URL });
  }
}

@Module({ providers: [FraudCalls], exports: [FraudCalls] })
export class FraudCallsModule {}
