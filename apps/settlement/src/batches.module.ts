import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';

import { AskForRun } from './application/ask-for-run.js';
import { CloseGroups } from './application/close-groups.js';
import { CloseRun } from './application/close-run.js';
import { ReserveBooks } from './application/reserve-books.js';
import { SettleRun } from './application/settle-run.js';
import { SettlementJob } from './application/settlement-job.js';
import { BalancesModule } from './balances.module.js';
import { ClientsModule } from './clients/clients.module.js';
import { SettlementsController } from './http/settlements.controller.js';
import { PayoutsModule } from './payouts.module.js';

/** The job that settles, and what batches keep back. */
@Module({
  imports: [ScheduleModule.forRoot(), BalancesModule, ClientsModule, PayoutsModule],
  controllers: [SettlementsController],
  providers: [AskForRun, CloseGroups, CloseRun, ReserveBooks, SettleRun, SettlementJob],
})
export class BatchesModule {}
