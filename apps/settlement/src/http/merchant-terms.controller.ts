import { Body, Controller, Get, Param, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  payoutAccountSchema,
  type PayoutAccountView,
  type Principal,
  reserveRuleSchema,
  type ReserveRuleView,
  type SetPayoutAccount,
  setPayoutAccountSchema,
  type SetReserveRule,
  setReserveRuleSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { MerchantTerms } from '../application/merchant-terms.js';
import { merchantInPath } from './visible-merchant.js';

/** Where a merchant is paid out, and what is kept back of it. */
@ApiTags('Merchants')
@Controller('merchants/:merchantId')
export class MerchantTermsController {
  constructor(private readonly terms: MerchantTerms) {}

  @Get('payout-account')
  @Access('settlements:read')
  @ApiOperation({ summary: 'Where a merchant is paid out; masked' })
  @Answers(200, payoutAccountSchema, 'The account.')
  async getPayoutAccount(
    @Param('merchantId') merchantId: string,
    @Caller() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PayoutAccountView> {
    const { view, version } = await this.terms.readAccount(merchantInPath(merchantId, principal));
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Put('payout-account')
  @Access('settlements:write')
  @ApiOperation({ summary: 'Set where a merchant is paid out; payouts that wait for it go on' })
  @Answers(200, payoutAccountSchema, 'The account, masked.')
  async setPayoutAccount(
    @Param('merchantId') merchantId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: setPayoutAccountSchema }) body: SetPayoutAccount,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(
      reply,
      await this.terms.setAccount(merchantInPath(merchantId, principal), { principal, meta, body }),
    );
  }

  @Get('reserve-rule')
  @Access('settlements:read')
  @ApiOperation({ summary: 'What is kept back of a merchant’s batches' })
  @Answers(200, reserveRuleSchema, 'The rule; 0 basis points: nothing.')
  async getReserveRule(
    @Param('merchantId') merchantId: string,
    @Caller() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReserveRuleView> {
    const { view, version } = await this.terms.readReserveRule(merchantInPath(merchantId, principal));
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Put('reserve-rule')
  @Access('settlements:write')
  @ApiOperation({ summary: 'Keep back a part of the next batches for some days' })
  @Answers(200, reserveRuleSchema, 'The rule.')
  async setReserveRule(
    @Param('merchantId') merchantId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: setReserveRuleSchema }) body: SetReserveRule,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const merchant = merchantInPath(merchantId, principal);
    await sendAnswer(reply, await this.terms.setReserveRule(merchant, { principal, meta, body }));
  }
}
