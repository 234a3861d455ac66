import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { type FraudDecision, type FraudDecisionRequest, fraudDecisionRequestSchema } from '@payflow/contracts';
import { Access } from '@payflow/service';

import { Decide } from '../application/decide.js';

/** Asked by payment before an acquirer is. */
@Controller('internal/fraud')
export class DecideController {
  constructor(private readonly decide: Decide) {}

  @Post('decisions')
  @HttpCode(200)
  @Access('internal')
  async decideFraud(
    @Body({ schema: fraudDecisionRequestSchema }) request: FraudDecisionRequest,
  ): Promise<FraudDecision> {
    return await this.decide.run(request);
  }
}
