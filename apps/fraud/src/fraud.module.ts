import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { CurrentRules } from './application/current-rules.js';
import { Decide } from './application/decide.js';
import { FraudCalls, FraudCallsModule } from './clients/service-calls.js';
import { fraudConfigSchema } from './fraud.config.js';
import { DecideController } from './http/decide.controller.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'fraud', configSchema: fraudConfigSchema, database: true }),
    FraudCallsModule,
    MessagingModule.forRootAsync({
      service: 'fraud',
      imports: [FraudCallsModule],
      inject: [FraudCalls],
      useFactory: ({ ownerUrls, serviceToken }: FraudCalls) => ({ ownerUrls, serviceToken }),
    }),
  ],
  controllers: [DecideController],
  providers: [CurrentRules, Decide],
})
export class FraudModule {}
