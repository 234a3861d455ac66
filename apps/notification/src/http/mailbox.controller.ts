import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { mailboxQuerySchema, mailboxSchema } from '@payflow/contracts';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { z } from 'zod';

import { ReadMailbox } from '../application/read-mailbox.js';
import type { NotificationConfig } from '../notification.config.js';

@ApiTags('Development')
@Controller('dev/mailbox')
export class MailboxController {
  constructor(
    private readonly mailbox: ReadMailbox,
    @InjectConfig() private readonly config: Pick<NotificationConfig, 'DEMO_MODE'>,
  ) {}

  @Get()
  @Public()
  @ApiOperation({
    summary: 'Read the mails and messages of a demo',
    description: 'What went out in the last hour, or would have, the newest first, with its codes. In demo mode only.',
  })
  @Answers(200, mailboxSchema, 'The mails and messages.')
  async readMailbox(
    @Query({ schema: mailboxQuerySchema }) { to }: z.infer<typeof mailboxQuerySchema>,
  ): Promise<z.infer<typeof mailboxSchema>> {
    if (!this.config.DEMO_MODE) throw new Problem('route_not_found');
    return { data: [...(await this.mailbox.run(to))] };
  }
}
