import { Module } from '@nestjs/common';

import { BankFeed } from './application/bank-feed.js';
import { DemoAccount } from './application/demo-account.js';
import { MerchantTerms } from './application/merchant-terms.js';
import { PayoutAccountSeal } from './application/payout-account-seal.js';
import { PayoutSaga } from './application/payout-saga.js';
import { RecoverPayouts } from './application/recover-payouts.js';
import { ClientsModule } from './clients/clients.module.js';
import { TakeUpPayout } from './application/take-up-payout.js';
import { MerchantTermsController } from './http/merchant-terms.controller.js';
import { PayoutsController } from './http/payouts.controller.js';

/** Money on its way to merchants, and where it goes. */
@Module({
  imports: [ClientsModule],
  controllers: [PayoutsController, MerchantTermsController],
  providers: [BankFeed, DemoAccount, MerchantTerms, PayoutAccountSeal, PayoutSaga, RecoverPayouts, TakeUpPayout],
  exports: [PayoutAccountSeal, RecoverPayouts],
})
export class PayoutsModule {}
