import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { loginAnswerSchema, type LoginRequest, loginSchema, meSchema, type Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { AcceptsForm, Access, Answers, Caller, clientAddressOf, InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { type LoginOutcome, logIn } from '../application/log-in.js';
import type { AuthConfig } from '../auth.config.js';
import { Passwords, TooManyPasswordsError } from '../credentials/passwords.js';
import { loginNameOf } from '../domain/login-name.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { findUser } from '../store/users.js';

type LoginAnswer = z.infer<typeof loginAnswerSchema>;
type Me = z.infer<typeof meSchema>;

@ApiTags('Identity')
@Controller()
export class LoginController {
  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly tokens: TokenIssuer,
    @InjectConfig() private readonly config: AuthConfig,
  ) {}

  @Post('auth/login')
  @Public()
  @AcceptsForm()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Log in with a password',
    description:
      'One of `username`, `email` and `phone`, and the `password`; as a form or as JSON. A wrong password and an ' +
      'unknown account are refused alike. After a few failures the account and the address have to wait.',
  })
  @Answers(200, loginAnswerSchema, 'An access token, twice: `token` and `accessToken` are the same.')
  async login(@Req() request: FastifyRequest, @Body({ schema: loginSchema }) body: LoginRequest): Promise<LoginAnswer> {
    const name = loginNameOf(body);
    if (!name) throw new Error('invariant: the schema asks for one login name');
    const address = clientAddressOf(request, this.config.TRUSTED_PROXIES);
    const outcome = await this.tryLogin({ name, password: body.password, address });
    switch (outcome.kind) {
      case 'logged_in': {
        const { token, expiresInSeconds } = outcome.token;
        return {
          token,
          accessToken: token,
          tokenType: 'Bearer',
          expiresIn: expiresInSeconds,
          userId: outcome.userId,
        };
      }
      case 'refused':
        throw new Problem('invalid_credentials', { detail: 'The login name or the password is wrong.' });
      case 'throttled':
        throw new Problem('rate_limited', {
          detail: 'There were too many failed logins.',
          headers: { 'retry-after': String(Math.ceil(outcome.retryAfterMs / 1_000)) },
        });
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
    const { username, email, phone, name, status } = user;
    return { ...common, userId: id, username, email, phone, name, status };
  }

  private async tryLogin(attempt: Parameters<typeof logIn>[3]): Promise<LoginOutcome> {
    try {
      return await logIn(this.database, this.passwords, this.tokens, attempt);
    } catch (error) {
      if (!(error instanceof TooManyPasswordsError)) throw error;
      throw new Problem('dependency_unavailable', { detail: 'Too many logins at once.', cause: error });
    }
  }
}
