import { Module } from '@nestjs/common';

import { AddMoney } from './application/add-money.js';
import { AddSaga } from './application/add-saga.js';
import { BankAccountSeal } from './application/bank-account-seal.js';
import { BankFeed } from './application/bank-feed.js';
import { MoneyRequests } from './application/money-requests.js';
import { MoneyWallets } from './application/money-wallets.js';
import { RecoverMoney } from './application/recover-money.js';
import { WalletExceptions } from './application/wallet-exceptions.js';
import { WithdrawMoney } from './application/withdraw-money.js';
import { WithdrawSaga } from './application/withdraw-saga.js';
import { Bank } from './clients/bank.js';
import { ClientsModule } from './clients/clients.module.js';
import { PaymentsClient } from './clients/payments-client.js';
import { AddedPaymentsController } from './events/added-payments.controller.js';
import { MoneyController } from './http/money.controller.js';
import { WalletExceptionsController } from './http/wallet-exceptions.controller.js';

/** Money that comes from outside and goes there: cards, banks, and what people must look at. */
@Module({
  imports: [ClientsModule],
  controllers: [MoneyController, WalletExceptionsController, AddedPaymentsController],
  providers: [
    AddMoney,
    AddSaga,
    BankAccountSeal,
    Bank,
    BankFeed,
    MoneyRequests,
    MoneyWallets,
    PaymentsClient,
    RecoverMoney,
    WalletExceptions,
    WithdrawMoney,
    WithdrawSaga,
  ],
  exports: [MoneyRequests, MoneyWallets, PaymentsClient],
})
export class MoneyModule {}
