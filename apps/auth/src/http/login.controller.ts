import { Body, Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type LoginAnswer, loginAnswerSchema, type LoginRequest, loginSchema } from '@payflow/contracts';
import { AcceptsForm, Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyRequest } from 'fastify';

import { LogIn } from '../application/log-in.js';
import type { AuthConfig } from '../auth.config.js';
import { loginNameOf } from '../domain/login-name.js';
import { deviceOf } from './device.js';
import { NothingInUrl } from './not-in-url.js';
import { withRoom } from './new-password.js';
import { sessionAnswerOf } from './session-answer.js';
import { tooManyTries } from './too-many-tries.js';

@ApiTags('Identity')
@Controller()
export class LoginController {
  constructor(
    private readonly logIn: LogIn,
    @InjectConfig() private readonly config: AuthConfig,
  ) {}

  @Post('auth/login')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Log in with a password',
    description:
      'One of `username`, `email` and `phone`, and the `password`; as a form or as JSON. A wrong password and an ' +
      'unknown account are refused alike. With a second factor, `totp` or `recoveryCode` too. After a few failures the account and the address have to wait.',
  })
  @Answers(
    200,
    loginAnswerSchema,
    'A session: an access token, twice (`token` and `accessToken`), and a refresh token.',
  )
  async login(@Req() request: FastifyRequest, @Body({ schema: loginSchema }) body: LoginRequest): Promise<LoginAnswer> {
    const name = loginNameOf(body);
    if (!name) throw new Error('invariant: the schema asks for one login name');
    const device = deviceOf(request, this.config.TRUSTED_PROXIES);
    const outcome = await withRoom(
      async () =>
        await this.logIn.run({ name, password: body.password, shown: body, device, merchantId: body.merchantId }),
    );
    switch (outcome.kind) {
      case 'logged_in':
        return sessionAnswerOf(outcome.tokens);
      case 'refused':
        throw new Problem('invalid_credentials', { detail: 'The login name or the password is wrong.' });
      case 'second_factor_required':
        throw new Problem('second_factor_required', { detail: 'The password is right. Send a code beside it.' });
      case 'not_a_member':
        throw new Problem('merchant_not_found', { detail: 'You are no member of this merchant.' });
      case 'second_factor_invalid':
        throw new Problem('second_factor_invalid');
      case 'throttled':
        throw tooManyTries(outcome.retryAfterMs, 'There were too many failed logins.');
    }
  }
}
