import { Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  merchantIdSchema,
  membershipSchema,
  membershipsSchema,
  type MembershipView,
  type Principal,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { Members, type OwnMembershipOutcome } from '../application/members.js';
import { allMembershipsOf, type OwnMembership } from '../store/memberships.js';
import { personOf } from './account-requests.js';
import { Deeds } from './deeds.js';

/** For whom a person acts, and who asks him to. */
@ApiTags('Identity')
@Controller('me/memberships')
export class MyMembershipsController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly members: Members,
  ) {}

  @Get()
  @Access('account:write')
  @ApiOperation({ summary: 'List the merchants that you act for, or are invited to' })
  @Answers(200, membershipsSchema, 'The oldest first.')
  async listMyMemberships(@Caller() principal: Principal): Promise<z.infer<typeof membershipsSchema>> {
    return { data: (await allMembershipsOf(this.database, personOf(principal).id)).map(viewOf) };
  }

  @Post(':merchantId/accept')
  @Access('account:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Accept an invitation',
    description:
      'Your next login acts for the merchant, when it is the only one or the one you name. Its people see your name and addresses.',
  })
  @Answers(200, membershipSchema, 'The membership, ACTIVE.')
  async acceptMembership(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { id } = personOf(principal);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: merchantId }, async (tx, actor) => {
      refuse(await this.members.accept(tx, actor, merchantId));
      const membership = (await allMembershipsOf(tx, id)).find((one) => one.merchantId === merchantId);
      if (!membership) throw new Error('invariant: who accepted is a member');
      return { status: 200, body: viewOf(membership) };
    });
  }

  @Delete(':merchantId')
  @Access('account:write')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Decline an invitation, or leave a merchant',
    description: 'Leaving ends your logins for this merchant. The last owner stays.',
  })
  @ApiNoContentResponse({ description: 'You are neither a member nor invited any more.' })
  async leaveMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    personOf(principal);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: merchantId }, async (tx, actor) => {
      refuse(await this.members.leave(tx, actor, merchantId));
      return { status: 204, body: null };
    });
  }
}

const refuse = (outcome: OwnMembershipOutcome): void => {
  if (outcome !== 'done') throw new Problem(outcome);
};

const viewOf = ({ merchantId, merchantName, role, status, createdAt }: OwnMembership): MembershipView => ({
  merchantId,
  merchantName,
  role,
  status,
  createdAt: createdAt.toISOString(),
});
