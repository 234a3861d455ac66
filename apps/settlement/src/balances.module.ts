import { Module } from '@nestjs/common';

import { HearPayments } from './application/hear-payments.js';
import { PaymentEventsController } from './events/payment-events.controller.js';
import { BalanceController } from './http/balance.controller.js';

/** What merchants are owed. */
@Module({
  controllers: [BalanceController, PaymentEventsController],
  providers: [HearPayments],
  exports: [HearPayments],
})
export class BalancesModule {}
