import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { ServiceCalls, ServiceCallsModule } from './clients/service-calls.js';
import { walletConfigSchema } from './wallet.config.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'wallet', configSchema: walletConfigSchema, database: true }),
    ServiceCallsModule,
    MessagingModule.forRootAsync({
      service: 'wallet',
      imports: [ServiceCallsModule],
      inject: [ServiceCalls],
      useFactory: ({ ownerUrls, serviceToken }: ServiceCalls) => ({ ownerUrls, serviceToken }),
    }),
  ],
})
export class WalletModule {}
