import { Injectable, Module } from '@nestjs/common';
import { ServiceCalls } from '@payflow/clients';
import { InjectConfig } from '@payflow/service';

import type { LedgerConfig } from '../ledger.config.js';

/** The payment service as the owner of payments' events: asked for those that Kafka did not bring. */
@Injectable()
export class PaymentOwner extends ServiceCalls {
  constructor(@InjectConfig() config: LedgerConfig) {
    super('ledger', config, { payment: config.PAYMENT_URL });
  }
}

@Module({ providers: [PaymentOwner], exports: [PaymentOwner] })
export class PaymentOwnerModule {}
