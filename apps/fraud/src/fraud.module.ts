import { Module } from '@nestjs/common';
import { MessagingModule } from '@payflow/messaging';
import { ServiceModule } from '@payflow/service';

import { CurrentRules } from './application/current-rules.js';
import { Decide } from './application/decide.js';
import { DryRun } from './application/dry-run.js';
import { ForgetFeatures } from './application/forget-features.js';
import { FraudMetrics } from './application/fraud-metrics.js';
import { Lists } from './application/lists.js';
import { ReadDecisions } from './application/read-decisions.js';
import { RebuildFeatures } from './application/rebuild-features.js';
import { ReviewDeadline } from './application/review-deadline.js';
import { Reviews } from './application/reviews.js';
import { SetRules } from './application/set-rules.js';
import { FraudCalls, FraudCallsModule } from './clients/service-calls.js';
import { PaymentOutcomesController } from './events/payment-outcomes.controller.js';
import { fraudConfigSchema } from './fraud.config.js';
import { DecideController } from './http/decide.controller.js';
import { DecisionsController } from './http/decisions.controller.js';
import { FeaturesController } from './http/features.controller.js';
import { ListsController } from './http/lists.controller.js';
import { PaymentTimelineController } from './http/payment-timeline.controller.js';
import { ReviewsController } from './http/reviews.controller.js';
import { RulesController } from './http/rules.controller.js';

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'fraud', configSchema: fraudConfigSchema, database: true }),
    FraudCallsModule,
    MessagingModule.forRootAsync({
      service: 'fraud',
      // Nobody waits for what it tells: its part in each payment is better spent on the next one.
      settings: { relayPaceMs: 100 },
      imports: [FraudCallsModule],
      inject: [FraudCalls],
      useFactory: ({ ownerUrls, serviceToken }: FraudCalls) => ({ ownerUrls, serviceToken }),
    }),
  ],
  controllers: [
    DecideController,
    DecisionsController,
    FeaturesController,
    ListsController,
    PaymentOutcomesController,
    PaymentTimelineController,
    ReviewsController,
    RulesController,
  ],
  providers: [
    CurrentRules,
    Decide,
    DryRun,
    ForgetFeatures,
    FraudMetrics,
    Lists,
    ReadDecisions,
    RebuildFeatures,
    ReviewDeadline,
    Reviews,
    SetRules,
  ],
})
export class FraudModule {}
