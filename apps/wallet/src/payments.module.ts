import { Module } from '@nestjs/common';

import { Approvals } from './application/approvals.js';
import { OrderRefunds } from './application/order-refunds.js';
import { PayMerchant } from './application/pay-merchant.js';
import { QrCodes } from './application/qr-codes.js';
import { WalletOrders } from './application/wallet-orders.js';
import { ClientsModule } from './clients/clients.module.js';
import { MerchantsAtAuth } from './clients/merchants-at-auth.js';
import { PayController } from './http/pay.controller.js';
import { WalletOrdersController } from './http/wallet-orders.controller.js';
import { MoneyModule } from './money.module.js';
import { TransfersModule } from './transfers.module.js';

/** Wallets as a payment method: the orders of the payment service, and whatever their owners have to say to them. */
@Module({
  imports: [ClientsModule, TransfersModule, MoneyModule],
  controllers: [PayController, WalletOrdersController],
  providers: [Approvals, MerchantsAtAuth, OrderRefunds, PayMerchant, QrCodes, WalletOrders],
})
export class PaymentsModule {}
