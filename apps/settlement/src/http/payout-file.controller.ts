import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { payoutFileQuerySchema } from '@payflow/contracts';
import { Access, Answers } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { PayoutFile } from '../application/payout-file.js';

const OK = 200;

/** For staff: what a bank is sent that takes files. */
@ApiTags('Settlements')
@Controller('settlements')
export class PayoutFileController {
  constructor(private readonly file: PayoutFile) {}

  @Get('runs/:runId/payout-file')
  @Access('settlements:write')
  @ApiOperation({
    summary: 'The payouts of a run as an ISO 20022 pain.001 file, with the account numbers',
    description:
      'Of payouts that began while `BANK_PAYOUTS` was `file`. What is in a file stays in it and is in no other.',
  })
  @Answers(OK, z.string(), 'pain.001.001.09; EndToEndId is the payout.')
  async getPayoutFile(
    @Param('runId') runId: string,
    @Query({ schema: payoutFileQuerySchema }) { part }: z.infer<typeof payoutFileQuerySchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const content = await this.file.of(runId, part);
    await reply
      .code(OK)
      .headers({
        'content-type': 'application/xml; charset=utf-8',
        'content-disposition': `attachment; filename="${runId}-${part}.xml"`,
      })
      .send(content);
  }
}
