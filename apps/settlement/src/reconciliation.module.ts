import { Module } from '@nestjs/common';

import { AskForReconciliation } from './application/ask-for-reconciliation.js';
import { CompareBooks } from './application/compare-books.js';
import { ImportReport } from './application/import-report.js';
import { PayoutFile } from './application/payout-file.js';
import { PostCorrections } from './application/post-corrections.js';
import { RunReconciliation } from './application/run-reconciliation.js';
import { SettleExceptions } from './application/settle-exceptions.js';
import { ClientsModule } from './clients/clients.module.js';
import { ReportSources } from './clients/report-sources.js';
import { ExpectedLinesController } from './events/expected-lines.controller.js';
import { PayoutFileController } from './http/payout-file.controller.js';
import { ReconciliationController } from './http/reconciliation.controller.js';
import { SettlementExceptionsController } from './http/settlement-exceptions.controller.js';
import { PayoutsModule } from './payouts.module.js';

/** Our books beside those of the acquirers and the bank. */
@Module({
  imports: [ClientsModule, PayoutsModule],
  controllers: [
    ExpectedLinesController,
    PayoutFileController,
    ReconciliationController,
    SettlementExceptionsController,
  ],
  providers: [
    AskForReconciliation,
    CompareBooks,
    ImportReport,
    PayoutFile,
    PostCorrections,
    ReportSources,
    RunReconciliation,
    SettleExceptions,
  ],
})
export class ReconciliationModule {}
