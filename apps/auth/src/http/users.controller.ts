import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  blockUserSchema,
  endedSessionsSchema,
  type ListUsersQuery,
  listUsersQuerySchema,
  type Principal,
  setRolesSchema,
  userIdSchema,
  userPageSchema,
  userSchema,
  type UserView,
} from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { Access, type Answer, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { type StaffOutcome, StaffUsers } from '../application/staff-users.js';
import { loginNameOf } from '../domain/login-name.js';
import { findListedUser, type ListedUser, listUsers } from '../store/staff-users.js';
import { isVerified } from '../store/users.js';
import { Deeds } from './deeds.js';
import { idOfCursor, pageOf } from './id-cursor.js';

@ApiTags('Identity')
@Controller('users')
export class UsersController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly users: StaffUsers,
  ) {}

  @Get()
  @Access('users:read')
  @ApiOperation({ summary: 'List users', description: 'The newest first; by status, or by one name.' })
  @Answers(200, userPageSchema, 'One page.')
  async listUsers(
    @Query({ schema: listUsersQuerySchema }) query: ListUsersQuery,
  ): Promise<z.infer<typeof userPageSchema>> {
    const filter = { status: query.status, name: loginNameOf(query) };
    const before = idOfCursor(query.cursor, /^usr_[0-9a-z]{26}$/);
    const found = await listUsers(this.database, filter, before, query.limit + 1);
    return pageOf(found, query.limit, ({ id }) => id, viewOf);
  }

  @Get(':userId')
  @Access('users:read')
  @ApiOperation({ summary: 'Read a user' })
  @Answers(200, userSchema, 'The user.')
  async getUser(@Param('userId', { schema: userIdSchema }) userId: string): Promise<UserView> {
    return await viewIn(this.database, userId);
  }

  @Post(':userId/block')
  @Access('users:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Block a user',
    description: 'Ends his sessions; within a second every service refuses his tokens. Blocking again changes nothing.',
  })
  @Answers(200, userSchema, 'The user.')
  async blockUser(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('userId', { schema: userIdSchema }) userId: string,
    @Body({ schema: blockUserSchema }) body: z.infer<typeof blockUserSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deeds.answer(reply, { principal, meta, body, resourceId: userId }, async (tx, actor) =>
      answerTo(tx, userId, await this.users.block(tx, actor, userId, body.reason)),
    );
  }

  @Post(':userId/unblock')
  @Access('users:write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Unblock a user', description: 'He has to log in again.' })
  @Answers(200, userSchema, 'The user.')
  async unblockUser(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('userId', { schema: userIdSchema }) userId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: userId }, async (tx, actor) =>
      answerTo(tx, userId, await this.users.unblock(tx, actor, userId)),
    );
  }

  @Put(':userId/roles')
  @Access('users:write')
  @ApiOperation({
    summary: "Set a user's roles",
    description: 'Ends his sessions when anything changes. The last admin stays one.',
  })
  @Answers(200, userSchema, 'The user.')
  async setUserRoles(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('userId', { schema: userIdSchema }) userId: string,
    @Body({ schema: setRolesSchema }) body: z.infer<typeof setRolesSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deeds.answer(reply, { principal, meta, body, resourceId: userId }, async (tx, actor) =>
      answerTo(tx, userId, await this.users.setRoles(tx, actor, userId, body.roles)),
    );
  }

  @Post(':userId/sessions/revoke')
  @Access('users:write')
  @HttpCode(200)
  @ApiOperation({ summary: "End all of a user's sessions" })
  @Answers(200, endedSessionsSchema, 'How many there were.')
  async endUserSessions(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('userId', { schema: userIdSchema }) userId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: userId }, async (tx, actor) => {
      const ended = await this.users.endSessions(tx, actor, userId);
      if (ended === undefined) throw new Problem('user_not_found');
      return { status: 200, body: { userId, ended } satisfies z.infer<typeof endedSessionsSchema> };
    });
  }
}

const answerTo = async (tx: Tx, userId: string, outcome: StaffOutcome): Promise<Answer> => {
  if (outcome !== 'done') throw new Problem(outcome);
  return { status: 200, body: await viewIn(tx, userId) };
};

const viewIn = async (sql: Pick<Database, 'query' | 'execute'>, userId: string): Promise<UserView> => {
  const user = await findListedUser(sql, userId);
  if (!user) throw new Problem('user_not_found');
  return viewOf(user);
};

const viewOf = (user: ListedUser): UserView => ({
  userId: user.id,
  username: user.username,
  email: user.email,
  phone: user.phone,
  name: user.name,
  status: user.status,
  roles: [...user.roles],
  verified: isVerified(user),
  createdAt: user.createdAt.toISOString(),
});
