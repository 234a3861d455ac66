import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  memberSchema,
  membersSchema,
  type MemberView,
  merchantIdSchema,
  type Principal,
  saveMemberSchema,
  type SaveMemberRequest,
  userIdSchema,
} from '@payflow/contracts';
import { Database, type Sql } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { type MemberOutcome, Members } from '../application/members.js';
import { loginNameOf } from '../domain/login-name.js';
import { type InvitedAs, type Member, membersOf } from '../store/memberships.js';
import { findOwnerOfAddress, findUser, findUserByUsername } from '../store/users.js';
import { Deeds } from './deeds.js';
import { requireOwnExistingMerchant, requireOwnMerchant } from './own-merchant.js';

@ApiTags('Identity')
@Controller('merchants/:merchantId/members')
export class MerchantMembersController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly members: Members,
  ) {}

  @Get()
  @Access('merchants:read')
  @ApiOperation({ summary: 'List who acts for a merchant, and who is invited to' })
  @Answers(200, membersSchema, 'The members, the longest first. Of who is INVITED: the name that he was invited by.')
  async listMembers(
    @Caller() principal: Principal,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
  ): Promise<z.infer<typeof membersSchema>> {
    await requireOwnExistingMerchant(this.database, principal, merchantId);
    return { data: (await membersOf(this.database, merchantId)).map(viewOf) };
  }

  @Post()
  @Access('merchants:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Invite a person to act for a merchant, or change what he may do',
    description:
      'By `userId`, `username`, or an `email` or `phone` that he has proven. An OWNER also manages members, clients and ' +
      'keys. The person is INVITED until he accepts at `/me/memberships`; what staff gives is ACTIVE at once.',
  })
  @Answers(200, memberSchema, 'The member.')
  async saveMember(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Body({ schema: saveMemberSchema }) body: SaveMemberRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body, resourceId: merchantId }, async (tx, actor) => {
      const { userId, typed } = await personNamed(tx, body);
      if (userId === undefined) throw new Problem('user_not_found');
      refuse(await this.members.save(tx, actor, { merchantId, userId, role: body.role }, typed));
      const member = (await membersOf(tx, merchantId)).find((one) => one.userId === userId);
      if (!member) throw new Error('invariant: who was made a member is one');
      return { status: 200, body: viewOf(member) };
    });
  }

  @Delete(':userId')
  @Access('merchants:write')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Take a membership or an invitation away',
    description: "Ends the person's logins for this merchant. The last owner stays.",
  })
  async removeMember(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Param('userId', { schema: userIdSchema }) userId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: merchantId }, async (tx, actor) => {
      refuse(await this.members.remove(tx, actor, merchantId, userId));
      return { status: 204, body: null };
    });
  }
}

/** An address that is only claimed is nobody's. */
const personNamed = async (
  sql: Sql,
  body: SaveMemberRequest,
): Promise<{ readonly userId: string | undefined; readonly typed: InvitedAs }> => {
  if (body.userId !== undefined) return { userId: (await findUser(sql, body.userId))?.id, typed: {} };
  const name = loginNameOf(body);
  if (!name) throw new Error('invariant: the schema asks for one name');
  const { kind, value } = name;
  const user =
    kind === 'username' ? await findUserByUsername(sql, value) : await findOwnerOfAddress(sql, { kind, value });
  return { userId: user?.id, typed: { [kind]: value } };
};

const refuse = (outcome: MemberOutcome): void => {
  if (outcome === 'done') return;
  if (outcome === 'role_beyond_caller')
    throw new Problem('insufficient_scope', { detail: 'You cannot give a role that may do more than you may.' });
  throw new Problem(outcome);
};

/** Who was invited has not agreed to show anything of himself. */
const viewOf = (member: Member): MemberView => {
  const { username = null, email = null, phone = null } = member.invitedAs ?? member;
  return {
    merchantId: member.merchantId,
    userId: member.userId,
    role: member.role,
    status: member.status,
    username,
    email,
    phone,
    name: member.status === 'INVITED' ? null : member.name,
    createdAt: member.createdAt.toISOString(),
  };
};
