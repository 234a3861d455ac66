import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { SettlementCalls, SettlementCallsModule } from './clients/service-calls.js';
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
  ],
})
export class SettlementModule {}
