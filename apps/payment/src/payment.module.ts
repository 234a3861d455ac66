import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { AcquirerCommand } from './application/acquirer-command.js';
import { AuthorizationChecks } from './application/authorization-checks.js';
import { AnswerDispute } from './application/answer-dispute.js';
import { AuthorizationLifetime } from './application/authorization-lifetime.js';
import { AuthorizePayment } from './application/authorize-payment.js';
import { CancelPayment } from './application/cancel-payment.js';
import { CapturePayment } from './application/capture-payment.js';
import { Commit } from './application/commit.js';
import { CreatePayment } from './application/create-payment.js';
import { DisputeRecorder } from './application/dispute-recorder.js';
import { ExpireAuthorizations } from './application/expire-authorizations.js';
import { ExternalParties } from './application/external-parties.js';
import { DecideReviews } from './application/decide-reviews.js';
import { Fees } from './application/fees.js';
import { FraudPolicies } from './application/fraud-policies.js';
import { JudgePayments } from './application/judge-payments.js';
import { InquireDisputes } from './application/inquire-disputes.js';
import { LedgerLines } from './application/ledger-lines.js';
import { ListPayments } from './application/list-payments.js';
import { MerchantFeeTerms } from './application/merchant-fee-terms.js';
import { NewPayments } from './application/new-payments.js';
import { OutcomeRecorder } from './application/outcome-recorder.js';
import { PayerAccess } from './application/payer-access.js';
import { PrintedPayments } from './application/printed-payments.js';
import { ProcessWebhooks } from './application/process-webhooks.js';
import { ReceiveWebhook } from './application/receive-webhook.js';
import { ReturnPayer } from './application/return-payer.js';
import { PaymentExceptions } from './application/payment-exceptions.js';
import { PaymentMetrics } from './application/payment-metrics.js';
import { PaymentMoments } from './application/payment-moments.js';
import { ReadDisputes } from './application/read-disputes.js';
import { ReadTimeline } from './application/read-timeline.js';
import { ReadPayment } from './application/read-payment.js';
import { ReadRefunds } from './application/read-refunds.js';
import { OrderTimers } from './application/order-timers.js';
import { RecoverOrders } from './application/recover-orders.js';
import { ResolveOrders } from './application/resolve-orders.js';
import { SagaSteps } from './application/saga-steps.js';
import { RefundPayment } from './application/refund-payment.js';
import { RoutePayments } from './application/route-payments.js';
import { RoutingRulesCache } from './application/routing-rules.js';
import { SendOrders } from './application/send-orders.js';
import { SettlePayments } from './application/settle-payments.js';
import { SweepDisputes } from './application/sweep-disputes.js';
import { SyncPayment } from './application/sync-payment.js';
import { UpdatePayment } from './application/update-payment.js';
import { UserHistory } from './application/user-history.js';
import { WatchDisputes } from './application/watch-disputes.js';
import { WatchReviews } from './application/watch-reviews.js';
import { ClientsModule } from './clients/clients.module.js';
import { ServiceCalls } from './clients/service-calls.js';
import { TransferIntents } from './clients/transfer-intents.js';
import { FraudDecisionsController } from './events/fraud-decisions.controller.js';
import { SettlementLinesController } from './events/settlement-lines.controller.js';
import { CapturesController } from './http/captures.controller.js';
import { DisputesController } from './http/disputes.controller.js';
import { FeeTermsController } from './http/fee-terms.controller.js';
import { FraudPolicyController } from './http/fraud-policy.controller.js';
import { ReturnController } from './http/return.controller.js';
import { WebhooksController } from './http/webhooks.controller.js';
import { PayerController } from './http/payer.controller.js';
import { PaymentCommandsController } from './http/payment-commands.controller.js';
import { PaymentExceptionsController } from './http/payment-exceptions.controller.js';
import { PaymentQueriesController } from './http/payment-queries.controller.js';
import { RefundsController } from './http/refunds.controller.js';
import { TimelineController } from './http/timeline.controller.js';
import { RoutingController } from './http/routing.controller.js';
import { UserPaymentsController } from './http/user-payments.controller.js';
import { paymentConfigSchema } from './payment.config.js';
import { BankRedirectProcessor } from './processors/bank-redirect-processor.js';
import { CardProcessor } from './processors/card-processor.js';
import { ProcessorFactory } from './processors/processor-factory.js';
import { WalletProcessor } from './processors/wallet-processor.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'payment', configSchema: paymentConfigSchema, database: true }),
    ClientsModule,
    MessagingModule.forRootAsync({
      service: 'payment',
      imports: [ClientsModule],
      inject: [ServiceCalls],
      // Nothing it consumes of others has an order, so nobody is asked for what is missing in one.
      useFactory: ({ accessToken }: ServiceCalls) => ({ ownerUrls: {}, serviceToken: accessToken }),
    }),
  ],
  controllers: [
    PaymentCommandsController,
    PayerController,
    ReturnController,
    WebhooksController,
    CapturesController,
    RefundsController,
    DisputesController,
    PaymentQueriesController,
    TimelineController,
    PaymentExceptionsController,
    UserPaymentsController,
    FeeTermsController,
    FraudPolicyController,
    RoutingController,
    FraudDecisionsController,
    SettlementLinesController,
  ],
  providers: [
    CreatePayment,
    PrintedPayments,
    ExternalParties,
    UpdatePayment,
    AuthorizePayment,
    AuthorizationChecks,
    PayerAccess,
    ReturnPayer,
    ReceiveWebhook,
    ProcessWebhooks,
    InquireDisputes,
    DisputeRecorder,
    WatchDisputes,
    SweepDisputes,
    AnswerDispute,
    ReadDisputes,
    CapturePayment,
    CancelPayment,
    RefundPayment,
    SyncPayment,
    PaymentExceptions,
    PaymentMoments,
    ReadPayment,
    ReadTimeline,
    LedgerLines,
    ListPayments,
    UserHistory,
    TransferIntents,
    ReadRefunds,
    MerchantFeeTerms,
    RoutePayments,
    RoutingRulesCache,
    AcquirerCommand,
    OutcomeRecorder,
    RecoverOrders,
    ResolveOrders,
    SagaSteps,
    OrderTimers,
    ExpireAuthorizations,
    AuthorizationLifetime,
    Commit,
    PaymentMetrics,
    NewPayments,
    Fees,
    FraudPolicies,
    JudgePayments,
    DecideReviews,
    WatchReviews,
    SendOrders,
    SettlePayments,
    ProcessorFactory,
    CardProcessor,
    BankRedirectProcessor,
    WalletProcessor,
  ],
})
export class PaymentModule {}
