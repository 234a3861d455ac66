import { Module } from '@nestjs/common';
import { ServiceModule } from '@payflow/service';

import { acquirerSimConfigSchema } from './acquirer-sim.config.js';
import { AuthorizeCard } from './application/authorize-card.js';
import { ChangeAuthorization } from './application/change-authorization.js';
import { OperationsController } from './http/operations.controller.js';
import { TestCardsController } from './http/test-cards.controller.js';

@Module({
  imports: [ServiceModule.forRoot({ name: 'acquirer-sim', configSchema: acquirerSimConfigSchema, database: true })],
  controllers: [OperationsController, TestCardsController],
  providers: [AuthorizeCard, ChangeAuthorization],
})
export class AcquirerSimModule {}
