import { Body, Controller, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  codeRequestedSchema,
  codeRequestSchema,
  type Registered,
  registeredSchema,
  type RegisterRequest,
  registerSchema,
  verifiedSchema,
  verifySchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { AcceptsForm, AccessTokens, Answers, Problem, Public, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { countTry, sendingsTo } from '../application/attempts.js';
import { ProveAddress } from '../application/prove-address.js';
import { Register, type Registration } from '../application/register.js';
import { Passwords } from '../credentials/passwords.js';
import { channelOf } from '../domain/codes.js';
import { type LoginName, newNameOf } from '../domain/login-name.js';
import { isVerified, type User } from '../store/users.js';
import { AccountRequests } from './account-requests.js';
import { inEvenTime } from './even-time.js';
import { fieldProblem } from './field-problem.js';
import { hashOfNewPassword } from './new-password.js';
import { NothingInUrl } from './not-in-url.js';
import { typedAddress } from './typed-address.js';
import { tooManyTries } from './too-many-tries.js';

@ApiTags('Identity')
@Controller('auth')
export class RegistrationController {
  constructor(
    private readonly database: Database,
    private readonly requests: AccountRequests,
    private readonly passwords: Passwords,
    private readonly accounts: Register,
    private readonly addresses: ProveAddress,
    private readonly accessTokens: AccessTokens,
  ) {}

  @Post('register')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Open an account',
    description:
      'With one of `username`, `email` and `phone`, and a password of 8 to 1,000 characters; as JSON or as a form, never ' +
      'in the URL. A user name that exists is refused. An address that somebody has already is not: the answer is that of a ' +
      'new one, and its owner gets a message.',
  })
  @Answers(201, registeredSchema, 'The account. With an email or a phone, a code is on its way.')
  async register(
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: registerSchema }) body: RegisterRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const registration = await this.registrationOf(body);
    const { name } = registration;
    const answer = await this.requests.once({ meta, body, resourceId: name.value }, async (tx) => {
      const outcome = await this.accounts.run(tx, registration);
      if (outcome.kind === 'username_taken')
        throw new Problem('username_taken', { detail: `The username ${name.value} exists already.` });
      return { status: 201, body: registeredAnswer(outcome.user, name) };
    });
    await sendAnswer(reply, answer);
  }

  @Post('verify')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Prove an address',
    description:
      'With the six digits that went there. They are good for ten minutes, once, and for five tries. Apps send the ' +
      '`userId` that registration answered, or an access token: then only a code of that account counts. Without, a code ' +
      'that somebody else asked for with the same address proves it as his.',
  })
  @Answers(200, verifiedSchema, 'The address is proven. `verified`: nothing else of the account waits.')
  async verifyAddress(
    @Req() request: FastifyRequest,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: verifySchema }) body: z.infer<typeof verifySchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const address = typedAddress(body);
    const { authorization } = request.headers;
    const caller = authorization === undefined ? undefined : await this.accessTokens.principalOf(authorization);
    const only = [caller?.id, body.userId].filter((id) => id !== undefined);
    const code = await this.addresses.tryCode(address, body.code, only);
    const answer = await this.requests.once({ meta, body, resourceId: address.value }, async (tx) => {
      const user = await this.addresses.verify(tx, address, code);
      if (!user) throw new Problem('code_invalid');
      const proven = { userId: user.id, channel: address.kind, address: address.value, verified: isVerified(user) };
      return { status: 200, body: proven satisfies z.infer<typeof verifiedSchema> };
    });
    await sendAnswer(reply, answer);
  }

  @Post('verify/resend')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Send another code to an address',
    description: 'The answer is the same whether or not an account waits for it. Five at once, then one a minute.',
  })
  @Answers(202, codeRequestedSchema, 'If an account waits for this address to be proven, a code is on its way.')
  async resendCode(
    @Body({ schema: codeRequestSchema }) body: z.infer<typeof codeRequestSchema>,
  ): Promise<z.infer<typeof codeRequestedSchema>> {
    const retryAfterMs = await inEvenTime(async () => await this.addresses.resend(typedAddress(body)));
    if (retryAfterMs !== undefined) throw tooManyTries(retryAfterMs, 'So many codes went to this address.');
    return { message: 'If an account waits for this address, a code is on its way.' };
  }

  private async registrationOf(body: RegisterRequest): Promise<Registration> {
    const name = newNameOf(body);
    if (!name) throw new Error('invariant: the schema asks for one login name');
    if (!name.usable) throw fieldProblem(name.field, `unusable_${name.field}`, name.reason);
    const passwordHash = await hashOfNewPassword(this.passwords, 'password', body.password, [name.name.value]);
    return {
      name: name.name,
      passwordHash,
      displayName: body.name ?? null,
      mayWrite: await this.mayWriteTo(name.name),
    };
  }

  private async mayWriteTo({ kind, value }: LoginName): Promise<boolean> {
    if (kind === 'username') return true;
    return (await countTry(this.database, [sendingsTo({ kind, value })])) === undefined;
  }
}

const registeredAnswer = (user: User, { kind, value }: LoginName): Registered => ({
  userId: user.id,
  [kind]: value,
  message: `User ${value} registered successfully`,
  verification:
    kind === 'username' ? { required: false, channel: null } : { required: true, channel: channelOf({ kind }) },
});
