import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { CreateTransferIntent } from './application/create-transfer-intent.js';
import { ProcessTransferIntent } from './application/process-transfer-intent.js';
import { ReadTransferIntents } from './application/read-transfer-intents.js';
import { WalletCalls, WalletCallsModule } from './clients/service-calls.js';
import { TransferIntentsController } from './http/transfer-intents.controller.js';
import { MoneyModule } from './money.module.js';
import { PaymentsModule } from './payments.module.js';
import { TransfersModule } from './transfers.module.js';
import { walletConfigSchema } from './wallet.config.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'wallet', configSchema: walletConfigSchema, database: true }),
    WalletCallsModule,
    TransfersModule,
    MoneyModule,
    PaymentsModule,
    MessagingModule.forRootAsync({
      service: 'wallet',
      imports: [WalletCallsModule],
      inject: [WalletCalls],
      useFactory: ({ ownerUrls, serviceToken }: WalletCalls) => ({ ownerUrls, serviceToken }),
    }),
  ],
  controllers: [TransferIntentsController],
  providers: [CreateTransferIntent, ProcessTransferIntent, ReadTransferIntents],
})
export class WalletModule {}
