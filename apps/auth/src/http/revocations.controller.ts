import { Controller, Get, Query } from '@nestjs/common';
import type { Revocations, RevocationsQuery } from '@payflow/contracts';
import { revocationsQuerySchema } from '@payflow/contracts';
import { Access } from '@payflow/service';

import { RevocationJournal } from '../application/revocation-journal.js';

/** What every service follows to know whose tokens are refused. */
@Controller('internal/revocations')
export class RevocationsController {
  constructor(private readonly journal: RevocationJournal) {}

  @Get()
  @Access('internal')
  async revocations(@Query({ schema: revocationsQuerySchema }) query: RevocationsQuery): Promise<Revocations> {
    return await this.journal.after(BigInt(query.after), query.waitMs);
  }
}
