import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  auditLogPageSchema,
  type AuditEntryView,
  type ListAuditLogQuery,
  listAuditLogQuerySchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers } from '@payflow/service';
import type { z } from 'zod';

import { listAuditLog, type LoggedDeed } from '../store/audit-log.js';
import { idOfCursor, pageOf } from './id-cursor.js';

@ApiTags('Identity')
@Controller('audit-log')
export class AuditLogController {
  constructor(private readonly database: Database) {}

  @Get()
  @Access('audit:read')
  @ApiOperation({
    summary: 'Read the audit log',
    description: 'Who did what to what, the newest first; by actor, target, action and time. It is only ever added to.',
  })
  @Answers(200, auditLogPageSchema, 'One page.')
  async listAuditLog(
    @Query({ schema: listAuditLogQuerySchema }) query: ListAuditLogQuery,
  ): Promise<z.infer<typeof auditLogPageSchema>> {
    const { actor, target, action, from, to, limit } = query;
    const before = idOfCursor(query.cursor, /^\d{1,18}$/);
    const found = await listAuditLog(
      this.database,
      {
        actor,
        target,
        action,
        from: from === undefined ? undefined : new Date(from),
        to: to === undefined ? undefined : new Date(to),
      },
      before === undefined ? undefined : BigInt(before),
      limit + 1,
    );
    return pageOf(found, limit, ({ position }) => String(position), viewOf);
  }
}

const viewOf = ({ position, occurredAt, ...entry }: LoggedDeed): AuditEntryView => ({
  id: String(position),
  occurredAt: occurredAt.toISOString(),
  ...entry,
});
