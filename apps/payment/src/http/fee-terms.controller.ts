import { Body, Controller, Get, Param, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type FeeTermsResponse,
  feeTermsSchema,
  type Principal,
  type SetFeeTermsRequest,
  setFeeTermsSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { MerchantFeeTerms } from '../application/merchant-fee-terms.js';
import { merchantIdOf } from './path-ids.js';

@ApiTags('Merchants')
@Controller('merchants/:merchantId/fee-terms')
export class FeeTermsController {
  constructor(private readonly feeTerms: MerchantFeeTerms) {}

  @Get()
  @Access('users:read')
  @ApiOperation({ summary: 'What a merchant pays per captured payment' })
  @Answers(200, feeTermsSchema, 'As agreed per currency, and what holds otherwise')
  async readFeeTerms(@Param('merchantId') merchantId: string): Promise<FeeTermsResponse> {
    return await this.feeTerms.read(merchantIdOf(merchantId));
  }

  @Put()
  @Access('users:write')
  @ApiOperation({ summary: 'Agree on terms for captures from now on' })
  @Answers(200, feeTermsSchema, 'As agreed per currency, and what holds otherwise')
  async setFeeTerms(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId') merchantId: string,
    @Body({ schema: setFeeTermsSchema }) body: SetFeeTermsRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.feeTerms.set(merchantIdOf(merchantId), { principal, meta, body }));
  }
}
