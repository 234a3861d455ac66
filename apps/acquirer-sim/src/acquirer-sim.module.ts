import { Module } from '@nestjs/common';
import { ServiceModule } from '@payflow/service';

import { acquirerSimConfigSchema } from './acquirer-sim.config.js';
import { AnswerChallenge } from './application/answer-challenge.js';
import { AuthorizePayment } from './application/authorize-payment.js';
import { BeginOperation } from './application/begin-operation.js';
import { ChangeAuthorization } from './application/change-authorization.js';
import { Modes } from './application/modes.js';
import { OperationView } from './application/operation-view.js';
import { ReverseAuthorization } from './application/reverse-authorization.js';
import { SendWebhooks } from './application/send-webhooks.js';
import { ServeOperation } from './application/serve-operation.js';
import { SettleDueResults } from './application/settle-due-results.js';
import { SettleResult } from './application/settle-result.js';
import { WebhookOutbox } from './application/webhook-outbox.js';
import { BookController } from './http/book.controller.js';
import { ChallengeController } from './http/challenge.controller.js';
import { ControlController } from './http/control.controller.js';
import { OperationsController } from './http/operations.controller.js';
import { Serving } from './http/serving.js';
import { Silence } from './http/silence.js';
import { TestCardsController } from './http/test-cards.controller.js';

@Module({
  imports: [ServiceModule.forRoot({ name: 'acquirer-sim', configSchema: acquirerSimConfigSchema, database: true })],
  controllers: [OperationsController, BookController, ControlController, ChallengeController, TestCardsController],
  providers: [
    AnswerChallenge,
    AuthorizePayment,
    BeginOperation,
    ChangeAuthorization,
    Modes,
    OperationView,
    ReverseAuthorization,
    SendWebhooks,
    ServeOperation,
    Serving,
    SettleDueResults,
    SettleResult,
    Silence,
    WebhookOutbox,
  ],
})
export class AcquirerSimModule {}
