import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { BalancesModule } from './balances.module.js';
import { BatchesModule } from './batches.module.js';
import { SettlementCalls, SettlementCallsModule } from './clients/service-calls.js';
import { PaymentTimelineController } from './http/payment-timeline.controller.js';
import { PayoutsModule } from './payouts.module.js';
import { ReconciliationModule } from './reconciliation.module.js';
import { settlementConfigSchema } from './settlement.config.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'settlement', configSchema: settlementConfigSchema, database: true }),
    SettlementCallsModule,
    MessagingModule.forRootAsync({
      service: 'settlement',
      imports: [SettlementCallsModule],
      inject: [SettlementCalls],
      useFactory: ({ ownerUrls, serviceToken }: SettlementCalls) => ({ ownerUrls, serviceToken }),
    }),
    BalancesModule,
    BatchesModule,
    PayoutsModule,
    ReconciliationModule,
  ],
  controllers: [PaymentTimelineController],
})
export class SettlementModule {}
