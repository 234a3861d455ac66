import { Module } from '@nestjs/common';

import { BeginTransfers } from './application/begin-transfers.js';
import { Claims } from './application/claims.js';
import { ControlWallet } from './application/control-wallet.js';
import { DisplayedBalances } from './application/displayed-balances.js';
import { FinishTransfers } from './application/finish-transfers.js';
import { HoldPostings } from './application/hold-postings.js';
import { HoldRequests } from './application/hold-requests.js';
import { Holds } from './application/holds.js';
import { KnowOwners } from './application/know-owners.js';
import { KnownAccounts } from './application/known-accounts.js';
import { OpenWallets } from './application/open-wallets.js';
import { OrderOutcomes } from './application/order-outcomes.js';
import { ReadHistory } from './application/read-history.js';
import { ReadWallets } from './application/read-wallets.js';
import { ResumeTransfers } from './application/resume-transfers.js';
import { SendTransfer } from './application/send-transfer.js';
import { Timers } from './application/timers.js';
import { TransferCommitter } from './application/transfer-committer.js';
import { TwoCommits } from './application/two-commits.js';
import { WriteStatement } from './application/write-statement.js';
import { BalanceCache } from './clients/balance-cache.js';
import { ClientsModule } from './clients/clients.module.js';
import { UserEventsController } from './events/user-events.controller.js';
import { HoldsController } from './http/holds.controller.js';
import { TransactionsController } from './http/transactions.controller.js';
import { TransfersController } from './http/transfers.controller.js';
import { WalletsController } from './http/wallets.controller.js';

/** Wallets and what moves between them. */
@Module({
  imports: [ClientsModule],
  controllers: [TransfersController, WalletsController, HoldsController, TransactionsController, UserEventsController],
  providers: [
    BalanceCache,
    BeginTransfers,
    Claims,
    ControlWallet,
    DisplayedBalances,
    FinishTransfers,
    HoldPostings,
    HoldRequests,
    Holds,
    KnowOwners,
    KnownAccounts,
    OpenWallets,
    OrderOutcomes,
    ReadHistory,
    ReadWallets,
    ResumeTransfers,
    SendTransfer,
    Timers,
    TransferCommitter,
    TwoCommits,
    WriteStatement,
  ],
  exports: [
    ClientsModule,
    Holds,
    KnowOwners,
    KnownAccounts,
    OpenWallets,
    Timers,
    TransferCommitter,
    TwoCommits,
    HoldPostings,
  ],
})
export class TransfersModule {}
