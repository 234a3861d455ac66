import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type AddMoneyRequest,
  addMoneySchema,
  moneyMovementSchema,
  type Principal,
  type WithdrawRequest,
  withdrawSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { AddMoney } from '../application/add-money.js';
import { WithdrawMoney } from '../application/withdraw-money.js';

const ENDED = 'It has ended: SUCCESS, or FAILED with the reason.';
const WAITING = 'PENDING: somebody outside has not answered. GET /transactions/{id} tells how it ends.';

/** Money that comes into a wallet from outside, and leaves it. */
@ApiTags('Wallets')
@Controller('wallet')
export class MoneyController {
  constructor(
    private readonly addition: AddMoney,
    private readonly withdrawal: WithdrawMoney,
  ) {}

  @Post('add')
  @Access('wallets:write')
  @ApiOperation({ summary: 'Add money from a card or a bank' })
  @Answers(201, moneyMovementSchema, ENDED)
  @Answers(202, moneyMovementSchema, WAITING)
  async addMoney(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: addMoneySchema }) body: AddMoneyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.addition.run(principal, meta, body));
  }

  @Post('withdraw')
  @Access('wallets:write')
  @ApiOperation({ summary: 'Withdraw money to a bank account' })
  @Answers(201, moneyMovementSchema, ENDED)
  @Answers(202, moneyMovementSchema, WAITING)
  async withdrawMoney(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: withdrawSchema }) body: WithdrawRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.withdrawal.run(principal, meta, body));
  }
}
