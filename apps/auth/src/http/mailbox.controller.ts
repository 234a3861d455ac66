import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { mailboxQuerySchema, mailboxSchema } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { z } from 'zod';

import type { AuthConfig } from '../auth.config.js';
import { addressOf } from '../domain/login-name.js';
import { readMailbox } from '../store/dev-mailbox.js';

@ApiTags('Development')
@Controller('dev/mailbox')
export class MailboxController {
  constructor(
    private readonly database: Database,
    @InjectConfig() private readonly config: Pick<AuthConfig, 'DEMO_MODE'>,
  ) {}

  @Get()
  @Public()
  @ApiOperation({
    summary: 'Read the mails and messages of a demo',
    description: 'What would have been sent in the last hour, the newest first, with its codes. In demo mode only.',
  })
  @Answers(200, mailboxSchema, 'The mails and messages.')
  async readMailbox(
    @Query({ schema: mailboxQuerySchema }) { to }: z.infer<typeof mailboxQuerySchema>,
  ): Promise<z.infer<typeof mailboxSchema>> {
    if (!this.config.DEMO_MODE) throw new Problem('route_not_found');
    const mails = await readMailbox(this.database, to === undefined ? undefined : plainAddress(to));
    return { data: mails.map((mail) => ({ ...mail, sentAt: mail.sentAt.toISOString() })) };
  }
}

/** `?to=+44…` arrives with a space: a plus means one in a query. */
const plainAddress = (to: string): string =>
  (to.includes('@') ? addressOf({ email: to }) : addressOf({ phone: to.replace(/^ ?(?=\d)/, '+') }))?.value ?? to;
