import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { ReturnPayer } from '../application/return-payer.js';
import { paymentIdOf } from './path-ids.js';

/** The same for every payment: whoever guesses an id learns nothing. */
const THANKS = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Thank you</title></head>
<body><main><h1>Thank you</h1><p>You can close this page. The merchant is told how your payment went.</p></main></body>
</html>
`;

/** For browsers of payers, who have no credentials here. */
@ApiExcludeController()
@Controller('payments')
export class ReturnController {
  constructor(private readonly payer: ReturnPayer) {}

  @Get(':paymentId/return')
  @Public()
  async returnPayer(@Param('paymentId') paymentId: string, @Res() reply: FastifyReply): Promise<void> {
    const { location } = await this.payer.run(paymentIdOf(paymentId));
    if (location === undefined) await reply.type('text/html; charset=utf-8').send(THANKS);
    else await reply.redirect(location, 303);
  }
}
