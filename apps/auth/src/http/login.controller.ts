import { Body, Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type LoginAnswer,
  loginAnswerSchema,
  type LoginRequest,
  loginSchema,
  meSchema,
  type Principal,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { AcceptsForm, Access, Answers, Caller, InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { LogIn } from '../application/log-in.js';
import type { AuthConfig } from '../auth.config.js';
import { loginNameOf } from '../domain/login-name.js';
import { findUser, type User } from '../store/users.js';
import { deviceOf } from './device.js';
import { refuseFieldsInUrl } from './not-in-url.js';
import { withRoom } from './password-work.js';
import { sessionAnswerOf } from './session-answer.js';
import { tooManyTries } from './too-many-tries.js';

type Me = z.infer<typeof meSchema>;

@ApiTags('Identity')
@Controller()
export class LoginController {
  constructor(
    private readonly database: Database,
    private readonly logIn: LogIn,
    @InjectConfig() private readonly config: AuthConfig,
  ) {}

  @Post('auth/login')
  @Public()
  @AcceptsForm()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Log in with a password',
    description:
      'One of `username`, `email` and `phone`, and the `password`; as a form or as JSON. A wrong password and an ' +
      'unknown account are refused alike. After a few failures the account and the address have to wait.',
  })
  @Answers(
    200,
    loginAnswerSchema,
    'A session: an access token, twice (`token` and `accessToken`), and a refresh token.',
  )
  async login(@Req() request: FastifyRequest, @Body({ schema: loginSchema }) body: LoginRequest): Promise<LoginAnswer> {
    refuseFieldsInUrl(request.query as Readonly<Record<string, unknown>>);
    const name = loginNameOf(body);
    if (!name) throw new Error('invariant: the schema asks for one login name');
    const device = deviceOf(request, this.config.TRUSTED_PROXIES);
    const outcome = await withRoom(async () => await this.logIn.run({ name, password: body.password, device }));
    switch (outcome.kind) {
      case 'logged_in':
        return sessionAnswerOf(outcome.tokens);
      case 'refused':
        throw new Problem('invalid_credentials', { detail: 'The login name or the password is wrong.' });
      case 'throttled':
        throw tooManyTries(outcome.retryAfterMs, 'There were too many failed logins.');
    }
  }

  @Get('me')
  @Access()
  @ApiOperation({ summary: 'Who the token speaks for' })
  @Answers(200, meSchema, 'The person or client, with its roles and scopes.')
  async me(@Caller() principal: Principal): Promise<Me> {
    const { id, kind, merchantId } = principal;
    const common: Me = {
      id,
      kind,
      roles: [...principal.roles],
      scopes: [...principal.scopes],
      ...(merchantId === undefined ? {} : { merchantId }),
    };
    if (kind !== 'user') return common;
    const user = await findUser(this.database, id);
    if (!user) throw new Problem('user_not_found');
    return { ...common, userId: id, ...accountOf(user) };
  }
}

const accountOf = (user: User): Partial<Me> => ({
  username: user.username,
  email: user.email,
  phone: user.phone,
  name: user.name,
  status: user.status,
  emailVerified: user.emailVerifiedAt !== null,
  phoneVerified: user.phoneVerifiedAt !== null,
  pendingEmail: user.pendingEmail,
  pendingPhone: user.pendingPhone,
});
