import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type FraudDecisionDetail,
  fraudDecisionDetailSchema,
  fraudDecisionPageSchema,
  type ListFraudDecisionsQuery,
  listFraudDecisionsQuerySchema,
} from '@payflow/contracts';
import { Access, Answers } from '@payflow/service';

import type { Page } from '../application/page.js';
import { ReadDecisions } from '../application/read-decisions.js';
import { decisionIdOf } from './path-ids.js';

@ApiTags('Fraud')
@Controller('fraud/decisions')
export class DecisionsController {
  constructor(private readonly decisions: ReadDecisions) {}

  @Get()
  @Access('fraud:read')
  @ApiOperation({ summary: 'How payments were judged, newest first' })
  @Answers(200, fraudDecisionPageSchema, 'Each with its reasons and with what it was made from')
  async listFraudDecisions(
    @Query({ schema: listFraudDecisionsQuerySchema }) query: ListFraudDecisionsQuery,
  ): Promise<Page<FraudDecisionDetail>> {
    return await this.decisions.page(query);
  }

  @Get(':decisionId')
  @Access('fraud:read')
  @ApiOperation({ summary: 'How one payment was judged' })
  @Answers(200, fraudDecisionDetailSchema, 'As it was decided, for ever')
  async getFraudDecision(@Param('decisionId') decisionId: string): Promise<FraudDecisionDetail> {
    return await this.decisions.one(decisionIdOf(decisionId));
  }
}
