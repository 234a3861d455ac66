import { Body, Controller, Get, Patch, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { meSchema, type Principal, updateMeSchema } from '@payflow/contracts';
import { Database, type Sql } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { countTry, sendingsTo } from '../application/attempts.js';
import { SecondFactor } from '../application/second-factor.js';
import { UpdateAccount } from '../application/update-account.js';
import { findUser } from '../store/users.js';
import { AccountRequests, personOf } from './account-requests.js';
import { tooManyTries } from './too-many-tries.js';
import { usableAddresses } from './typed-address.js';

type Me = z.infer<typeof meSchema>;

@ApiTags('Identity')
@Controller('me')
export class MeController {
  constructor(
    private readonly database: Database,
    private readonly requests: AccountRequests,
    private readonly accounts: UpdateAccount,
    private readonly secondFactor: SecondFactor,
  ) {}

  @Get()
  @Access()
  @ApiOperation({ summary: 'Who the token speaks for' })
  @Answers(200, meSchema, 'The person or client, with its roles and scopes.')
  async me(@Caller() principal: Principal): Promise<Me> {
    return await this.describe(this.database, principal);
  }

  @Patch()
  @Access('account:write')
  @ApiOperation({
    summary: "Change one's name or addresses",
    description:
      'A code goes to a new address. Until it comes back, an address that was proven before stays, and the new one is ' +
      '`pendingEmail` or `pendingPhone`.',
  })
  @Answers(200, meSchema, 'The account as it is now.')
  async updateMe(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: updateMeSchema }) body: z.infer<typeof updateMeSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const person = personOf(principal);
    const addresses = usableAddresses(body);
    for (const address of addresses) {
      const retryAfterMs = await countTry(this.database, [sendingsTo(address)]);
      if (retryAfterMs !== undefined) throw tooManyTries(retryAfterMs, 'So many codes went to this address.');
    }
    const answer = await this.requests.once({ principal, meta, body, resourceId: person.id }, async (tx) => {
      if (!(await this.accounts.run(tx, person, { name: body.name, addresses })))
        throw new Problem('invalid_token', { detail: 'The session has ended.' });
      return { status: 200, body: await this.describe(tx, principal) };
    });
    await sendAnswer(reply, answer);
  }

  private async describe(sql: Sql, { id, kind, merchantId, roles, scopes }: Principal): Promise<Me> {
    const about: Me = {
      id,
      kind,
      roles: [...roles],
      scopes: [...scopes],
      ...(merchantId === undefined ? {} : { merchantId }),
    };
    if (kind !== 'user') return about;
    const user = await findUser(sql, id);
    if (!user) throw new Problem('user_not_found');
    return {
      ...about,
      userId: id,
      username: user.username,
      email: user.email,
      phone: user.phone,
      name: user.name,
      status: user.status,
      emailVerified: user.emailVerifiedAt !== null,
      phoneVerified: user.phoneVerifiedAt !== null,
      pendingEmail: user.pendingEmail,
      pendingPhone: user.pendingPhone,
      twoFactor: await this.secondFactor.isEnabled(sql, id),
    };
  }
}
