import { Body, Controller, Get, Param, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type FraudPolicyResponse,
  fraudPolicySchema,
  type Principal,
  type SetFraudPolicyRequest,
  setFraudPolicySchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { FraudPolicies } from '../application/fraud-policies.js';
import { merchantIdOf } from './path-ids.js';

@ApiTags('Merchants')
@Controller('merchants/:merchantId/fraud-policy')
export class FraudPolicyController {
  constructor(private readonly policies: FraudPolicies) {}

  @Get()
  @Access('fraud:read')
  @ApiOperation({ summary: "What becomes of a merchant's payments while fraud does not answer" })
  @Answers(200, fraudPolicySchema, 'As it was set, or what holds otherwise')
  async readFraudPolicy(@Param('merchantId') merchantId: string): Promise<FraudPolicyResponse> {
    return await this.policies.read(merchantIdOf(merchantId));
  }

  @Put()
  @Access('fraud:write')
  @ApiOperation({ summary: 'Decide what becomes of payments from now on while fraud does not answer' })
  @Answers(200, fraudPolicySchema, 'As it is now')
  async setFraudPolicy(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId') merchantId: string,
    @Body({ schema: setFraudPolicySchema }) body: SetFraudPolicyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.policies.set(merchantIdOf(merchantId), { principal, meta, body }));
  }
}
