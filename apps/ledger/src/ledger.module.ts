import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { AskForApprovalHandler } from './application/ask-for-approval.js';
import { DecideApprovalHandler } from './application/decide-approval.js';
import { JournalCommitter } from './application/journal-committer.js';
import { JournalMetrics } from './application/journal-metrics.js';
import { JournalTree } from './application/journal-tree.js';
import { OpenAccountHandler } from './application/open-account.js';
import { PostForServicesHandler } from './application/post-for-services.js';
import { PostTransactionsHandler } from './application/post-transactions.js';
import { ProveHandler } from './application/prove.js';
import { RevertTransactionHandler } from './application/revert-transaction.js';
import { PaymentOwner, PaymentOwnerModule } from './clients/payment-owner.js';
import { PaymentEventsController } from './events/payment-events.controller.js';
import { AccountsController } from './http/accounts.controller.js';
import { ApprovalsController } from './http/approvals.controller.js';
import { admitLargeBatches } from './http/batch-body.js';
import { JournalController } from './http/journal.controller.js';
import { PaymentTimelineController } from './http/payment-timeline.controller.js';
import { PaymentEntriesController } from './http/payment-entries.controller.js';
import { ProofsController } from './http/proofs.controller.js';
import { ServicePostingsController } from './http/service-postings.controller.js';
import { TransactionsController } from './http/transactions.controller.js';
import { ledgerConfigSchema } from './ledger.config.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'ledger', configSchema: ledgerConfigSchema, database: true }),
    MessagingModule.forRootAsync({
      service: 'ledger',
      imports: [PaymentOwnerModule],
      inject: [PaymentOwner],
      useFactory: ({ ownerUrls, serviceToken }: PaymentOwner) => ({ ownerUrls, serviceToken }),
    }),
  ],
  controllers: [
    AccountsController,
    TransactionsController,
    ApprovalsController,
    JournalController,
    ProofsController,
    PaymentEntriesController,
    PaymentTimelineController,
    ServicePostingsController,
    PaymentEventsController,
  ],
  providers: [
    AskForApprovalHandler,
    DecideApprovalHandler,
    JournalCommitter,
    JournalMetrics,
    JournalTree,
    ProveHandler,
    OpenAccountHandler,
    PostForServicesHandler,
    PostTransactionsHandler,
    RevertTransactionHandler,
  ],
})
export class LedgerModule {
  constructor(adapterHost: HttpAdapterHost<FastifyAdapter>) {
    admitLargeBatches(adapterHost.httpAdapter.getInstance());
  }
}
