import { Body, Controller, Get, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type FraudDryRunRequest,
  type FraudDryRunResult,
  fraudDryRunResultSchema,
  fraudDryRunSchema,
  type FraudRulesQuery,
  fraudRulesQuerySchema,
  type FraudRulesResponse,
  fraudRulesSchema,
  type FraudRuleStatistics,
  type FraudStatisticsQuery,
  fraudStatisticsQuerySchema,
  fraudStatisticsSchema,
  type Principal,
  type SetFraudRulesRequest,
  setFraudRulesSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { DryRun } from '../application/dry-run.js';
import { SetRules } from '../application/set-rules.js';

@ApiTags('Fraud')
@Controller('fraud')
export class RulesController {
  constructor(
    private readonly rules: SetRules,
    private readonly dryRuns: DryRun,
  ) {}

  @Get('rules')
  @Access('fraud:read')
  @ApiOperation({ summary: 'The rules that payments are judged by, or those of an earlier version' })
  @Answers(200, fraudRulesSchema, 'With their version as ETag')
  async readFraudRules(
    @Query({ schema: fraudRulesQuerySchema }) { version }: FraudRulesQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FraudRulesResponse> {
    const rules = await this.rules.read(version);
    void reply.header('etag', entityTag(rules.version));
    return rules;
  }

  @Put('rules')
  @Access('fraud:write')
  @ApiOperation({ summary: 'Set all rules; they hold from the next payment on' })
  @Answers(200, fraudRulesSchema, 'The new version')
  async setFraudRules(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: setFraudRulesSchema }) body: SetFraudRulesRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.rules.set({ principal, meta, body }));
  }

  @Get('rules/statistics')
  @Access('fraud:read')
  @ApiOperation({ summary: 'How often each rule spoke, shadow rules too, and what became of the payments' })
  @Answers(200, fraudStatisticsSchema, 'Rules that never spoke are not in it')
  async readFraudRuleStatistics(
    @Query({ schema: fraudStatisticsQuerySchema }) { days }: FraudStatisticsQuery,
  ): Promise<FraudRuleStatistics> {
    return await this.rules.statistics(days);
  }

  @Post('dry-run')
  @HttpCode(200)
  @Access('fraud:read')
  @ApiOperation({ summary: 'Judge past payments by proposed rules: how many would have been decided otherwise' })
  @Answers(200, fraudDryRunResultSchema, 'Nothing is changed')
  async dryRunFraudRules(@Body({ schema: fraudDryRunSchema }) body: FraudDryRunRequest): Promise<FraudDryRunResult> {
    return await this.dryRuns.run(body);
  }
}
