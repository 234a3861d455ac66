import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type AcquirerOperation,
  acquirerOperationSchema,
  type WalletOrderRequest,
  walletOrderRequestSchema,
} from '@payflow/contracts';
import { Access, Answers, Problem } from '@payflow/service';

import { WalletOrders } from '../application/wallet-orders.js';

/** The wallets as an acquirer of the payment service. */
@ApiTags('Internal')
@Controller('internal/wallet-orders')
export class WalletOrdersController {
  constructor(private readonly orders: WalletOrders) {}

  @Post()
  @HttpCode(200)
  @Access('internal')
  @ApiOperation({ summary: 'An order of the payment service: hold, capture, void, reverse or refund' })
  @Answers(200, acquirerOperationSchema, 'How it stands. The same reference is answered with the same order for ever.')
  async orderFromWallet(
    @Body({ schema: walletOrderRequestSchema }) body: WalletOrderRequest,
  ): Promise<AcquirerOperation> {
    return await this.orders.order(body);
  }

  @Get(':reference')
  @Access('internal')
  @ApiOperation({ summary: 'How an order stands' })
  @Answers(200, acquirerOperationSchema, 'How it stands.')
  async getWalletOrder(@Param('reference') reference: string): Promise<AcquirerOperation> {
    const order = await this.orders.inquire(reference);
    if (order === undefined) throw new Problem('wallet_order_not_found');
    return order;
  }
}
