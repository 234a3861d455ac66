import { Body, Controller, Get, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ExplainedRouteResponse,
  explainedRouteSchema,
  type ExplainRouteRequest,
  explainRouteSchema,
  type Principal,
  type RoutingRulesResponse,
  routingRulesSchema,
  type SetRoutingRulesRequest,
  setRoutingRulesSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { RoutePayments } from '../application/route-payments.js';

@ApiTags('Routing')
@Controller('routing')
export class RoutingController {
  constructor(private readonly routing: RoutePayments) {}

  @Get('rules')
  @Access('operations:read')
  @ApiOperation({ summary: 'The rules that say which acquirers a payment is tried at' })
  @Answers(200, routingRulesSchema, 'With their version as ETag')
  async readRoutingRules(@Res({ passthrough: true }) reply: FastifyReply): Promise<RoutingRulesResponse> {
    const rules = await this.routing.read();
    void reply.header('etag', entityTag(rules.version));
    return rules;
  }

  @Put('rules')
  @Access('operations:write')
  @ApiOperation({ summary: 'Set all rules; they hold on every instance within a second' })
  @Answers(200, routingRulesSchema, 'The new version')
  async setRoutingRules(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: setRoutingRulesSchema }) body: SetRoutingRulesRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.routing.set({ principal, meta, body }));
  }

  @Post('explain')
  @HttpCode(200)
  @Access('operations:read')
  @ApiOperation({ summary: 'Which acquirers a payment would be tried at now, and why' })
  @Answers(200, explainedRouteSchema, 'Nothing is paid')
  async explainRoute(@Body({ schema: explainRouteSchema }) body: ExplainRouteRequest): Promise<ExplainedRouteResponse> {
    return await this.routing.explain(body);
  }
}
