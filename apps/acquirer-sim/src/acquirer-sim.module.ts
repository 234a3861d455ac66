import { Module } from '@nestjs/common';
import { ServiceModule } from '@payflow/service';

import { acquirerSimConfigSchema } from './acquirer-sim.config.js';
import { AnswerChallenge } from './application/answer-challenge.js';
import { AuthorizePayment } from './application/authorize-payment.js';
import { BeginOperation } from './application/begin-operation.js';
import { ChangeAuthorization } from './application/change-authorization.js';
import { EnterDisputeState } from './application/enter-dispute-state.js';
import { IssueReport } from './application/issue-report.js';
import { Modes } from './application/modes.js';
import { OperationView } from './application/operation-view.js';
import { PayOut } from './application/pay-out.js';
import { RaiseDispute } from './application/raise-dispute.js';
import { RespondToDispute } from './application/respond-to-dispute.js';
import { ReverseAuthorization } from './application/reverse-authorization.js';
import { SendWebhooks } from './application/send-webhooks.js';
import { ServeBank } from './application/serve-bank.js';
import { ServeOperation } from './application/serve-operation.js';
import { SettleDueDisputes } from './application/settle-due-disputes.js';
import { SettleDuePayouts } from './application/settle-due-payouts.js';
import { SettleDueResults } from './application/settle-due-results.js';
import { SettleResult } from './application/settle-result.js';
import { WebhookOutbox } from './application/webhook-outbox.js';
import { BankControlController } from './http/bank-control.controller.js';
import { BankController } from './http/bank.controller.js';
import { BookController } from './http/book.controller.js';
import { ChallengeController } from './http/challenge.controller.js';
import { ControlController } from './http/control.controller.js';
import { DisputesController } from './http/disputes.controller.js';
import { OperationsController } from './http/operations.controller.js';
import { ReportsController } from './http/reports.controller.js';
import { Serving } from './http/serving.js';
import { Silence } from './http/silence.js';
import { TestBankAccountsController } from './http/test-bank-accounts.controller.js';
import { TestCardsController } from './http/test-cards.controller.js';

@Module({
  imports: [ServiceModule.forRoot({ name: 'acquirer-sim', configSchema: acquirerSimConfigSchema, database: true })],
  controllers: [
    OperationsController,
    BookController,
    ControlController,
    DisputesController,
    ChallengeController,
    TestCardsController,
    BankController,
    BankControlController,
    ReportsController,
    TestBankAccountsController,
  ],
  providers: [
    AnswerChallenge,
    AuthorizePayment,
    BeginOperation,
    ChangeAuthorization,
    EnterDisputeState,
    IssueReport,
    Modes,
    OperationView,
    PayOut,
    RaiseDispute,
    RespondToDispute,
    ReverseAuthorization,
    SendWebhooks,
    ServeBank,
    ServeOperation,
    Serving,
    SettleDueDisputes,
    SettleDuePayouts,
    SettleDueResults,
    SettleResult,
    Silence,
    WebhookOutbox,
  ],
})
export class AcquirerSimModule {}
