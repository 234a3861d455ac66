import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { idSchema, type InternalUser, internalUserSchema, internalUsersQuerySchema } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Problem } from '@payflow/service';
import type { z } from 'zod';

import { type LoginName, loginNameOf } from '../domain/login-name.js';
import { findOwnerOfAddress, findUser, findUserByUsername, isVerified, type User } from '../store/users.js';

@ApiTags('Internal')
@Controller('internal/users')
export class InternalUsersController {
  constructor(private readonly database: Database) {}

  @Get()
  @Access('internal')
  @ApiOperation({
    summary: 'Find a person by a name',
    description: 'By an address only who has proven it: money sent there must not go to who merely claims it.',
  })
  @Answers(200, internalUserSchema, 'The person.')
  async findUserForServices(
    @Query({ schema: internalUsersQuerySchema }) query: z.infer<typeof internalUsersQuerySchema>,
  ): Promise<InternalUser> {
    const name = loginNameOf(query);
    if (!name) throw new Error('invariant: the schema asks for one login name');
    return answerOf(await this.findByName(name));
  }

  @Get(':userId')
  @Access('internal')
  @ApiOperation({ summary: 'Read a person' })
  @Answers(200, internalUserSchema, 'The person.')
  async getUserForServices(@Param('userId', { schema: idSchema('usr') }) userId: string): Promise<InternalUser> {
    return answerOf(await findUser(this.database, userId));
  }

  private async findByName({ kind, value }: LoginName): Promise<User | undefined> {
    if (kind === 'username') return await findUserByUsername(this.database, value);
    return await findOwnerOfAddress(this.database, { kind, value });
  }
}

/** @throws Problem user_not_found */
const answerOf = (user: User | undefined): InternalUser => {
  if (!user) throw new Problem('user_not_found');
  const { id, username, email, phone, name, status } = user;
  return {
    userId: id,
    username,
    email,
    phone,
    name,
    status,
    verified: isVerified(user),
    emailVerified: user.emailVerifiedAt !== null,
    phoneVerified: user.phoneVerifiedAt !== null,
  };
};
