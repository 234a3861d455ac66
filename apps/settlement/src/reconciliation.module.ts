import { Module } from '@nestjs/common';

import { AskForReconciliation } from './application/ask-for-reconciliation.js';
import { CompareBooks } from './application/compare-books.js';
import { ImportReport } from './application/import-report.js';
import { PostCorrections } from './application/post-corrections.js';
import { RunReconciliation } from './application/run-reconciliation.js';
import { SettleExceptions } from './application/settle-exceptions.js';
import { ClientsModule } from './clients/clients.module.js';
import { ReportSources } from './clients/report-sources.js';
import { ExpectedLinesController } from './events/expected-lines.controller.js';
import { ReconciliationController } from './http/reconciliation.controller.js';
import { SettlementExceptionsController } from './http/settlement-exceptions.controller.js';

/** Our books beside those of the acquirers and the bank. */
@Module({
  imports: [ClientsModule],
  controllers: [ExpectedLinesController, ReconciliationController, SettlementExceptionsController],
  providers: [
    AskForReconciliation,
    CompareBooks,
    ImportReport,
    PostCorrections,
    ReportSources,
    RunReconciliation,
    SettleExceptions,
  ],
})
export class ReconciliationModule {}
