import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  isStaff,
  type ListPaymentsQuery,
  listPaymentsQuerySchema,
  pageOf,
  paymentSchema,
  type Principal,
  textSchema,
  transferIntentSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, Problem } from '@payflow/service';
import { z } from 'zod';

import { ExternalParties } from '../application/external-parties.js';
import { type HistoryPage, UserHistory } from '../application/user-history.js';
import { metadataFilterOf } from './metadata-filter.js';

const userIdSchema = textSchema(64);

const historySchema = pageOf(z.union([paymentSchema, transferIntentSchema])).meta({ id: 'UserPaymentPage' });

/** What a person pays: for the person, for staff, and for a merchant as far as it concerns him. */
@ApiTags('Payments')
@Controller()
export class UserPaymentsController {
  constructor(
    private readonly history: UserHistory,
    private readonly parties: ExternalParties,
  ) {}

  @Get('users/:userId/payments')
  @Access('payments:read')
  @ApiOperation({ summary: 'Payments of a user, as payer or payee, newest first' })
  @Answers(200, historySchema, 'Those the caller may see')
  async listUserPayments(
    @Caller() principal: Principal,
    @Param('userId') userId: string,
    @Query({ schema: listPaymentsQuerySchema }) query: ListPaymentsQuery,
  ): Promise<HistoryPage> {
    return await this.page(principal, userId, query);
  }

  @Get('payments/:userId/history')
  @Access('payments:read')
  @ApiOperation({ summary: 'The same list as GET /users/{userId}/payments' })
  @Answers(200, historySchema, 'Those the caller may see')
  async listUserHistory(
    @Caller() principal: Principal,
    @Param('userId') userId: string,
    @Query({ schema: listPaymentsQuerySchema }) query: ListPaymentsQuery,
  ): Promise<HistoryPage> {
    if (userId.startsWith('pay_'))
      throw new Problem('user_not_found', {
        detail: 'This is the history of a user. That of a payment is at /payments/{id}/events.',
      });
    return await this.page(principal, userId, query);
  }

  private async page(principal: Principal, named: string, query: ListPaymentsQuery): Promise<HistoryPage> {
    const userId = this.parties.userOrSame(named);
    const own = principal.kind === 'user' && principal.id === userId;
    const allowed = own || isStaff(principal) || principal.merchantId !== undefined;
    if (!allowed || !userIdSchema.safeParse(userId).success) throw new Problem('user_not_found');
    return await this.history.run(principal, { ...query, userId }, metadataFilterOf(query));
  }
}
