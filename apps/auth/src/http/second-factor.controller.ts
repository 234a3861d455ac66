import { Body, Controller, Header, HttpCode, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  confirmSecondFactorSchema,
  disableSecondFactorSchema,
  enrolledSchema,
  type Principal,
  recoveryCodesSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, type Answer, Answers, Caller, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { toString as qrCodeOf } from 'qrcode';
import type { z } from 'zod';

import { countTry, triesOfSecondFactor } from '../application/attempts.js';
import { ChangePassword } from '../application/change-password.js';
import { SecondFactor } from '../application/second-factor.js';
import { forgetSubject } from '../store/login-throttle.js';
import { lockUser } from '../store/users.js';
import { AccountRequests, personOf } from './account-requests.js';
import { withRoom } from './new-password.js';
import { tooManyTries } from './too-many-tries.js';

@ApiTags('Identity')
@Controller('auth/2fa')
export class SecondFactorController {
  constructor(
    private readonly database: Database,
    private readonly requests: AccountRequests,
    private readonly passwords: ChangePassword,
    private readonly secondFactor: SecondFactor,
  ) {}

  @Post('enroll')
  @Access('account:write')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Begin a second factor',
    description: 'The secret counts once a code of it is sent to /auth/2fa/confirm. Another enrollment replaces it.',
  })
  @Answers(201, enrolledSchema, 'The secret, for an authenticator to scan.')
  async enrollSecondFactor(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { id } = personOf(principal);
    const request = { principal, meta, body: null, resourceId: id };
    const answer = await this.requests.onceSealed(request, async (tx): Promise<Answer> => {
      const enrollment = await this.secondFactor.enroll(tx, id);
      if (!enrollment) throw new Problem('second_factor_enabled');
      const svg = await qrCodeOf(enrollment.otpauthUri, { type: 'svg' });
      const qrCode = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
      return { status: 201, body: { ...enrollment, qrCode } satisfies z.infer<typeof enrolledSchema> };
    });
    await sendAnswer(reply, answer);
  }

  @Post('confirm')
  @Access('account:write')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Switch the second factor on', description: 'From now on the login asks for a code.' })
  @Answers(200, recoveryCodesSchema, 'Ten recovery codes, for who has lost the authenticator. They are shown once.')
  async confirmSecondFactor(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: confirmSecondFactorSchema }) body: z.infer<typeof confirmSecondFactorSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { id } = personOf(principal);
    await this.countTry(id);
    const request = { principal, meta, body, resourceId: id };
    const answer = await this.requests.onceSealed(request, async (tx): Promise<Answer> => {
      const outcome = await this.secondFactor.confirm(tx, id, body.totp);
      switch (outcome.kind) {
        case 'confirmed':
          return { status: 200, body: { recoveryCodes: outcome.recoveryCodes } };
        case 'not_enrolled':
          throw new Problem('second_factor_not_enrolled');
        case 'already_enabled':
          throw new Problem('second_factor_enabled');
        case 'wrong_code':
          throw new Problem('second_factor_invalid');
      }
    });
    await forgetSubject(this.database, triesOfSecondFactor(id).subject);
    await sendAnswer(reply, answer);
  }

  @Post('disable')
  @Access('account:write')
  @HttpCode(204)
  @ApiOperation({ summary: 'Switch the second factor off', description: 'Needs the password and one of its codes.' })
  @ApiNoContentResponse({ description: 'The login asks for the password alone.' })
  async disableSecondFactor(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: disableSecondFactorSchema }) body: z.infer<typeof disableSecondFactorSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { id } = personOf(principal);
    const checked = await withRoom(async () => await this.passwords.check(id, body.password));
    if (checked.kind === 'throttled')
      throw tooManyTries(checked.retryAfterMs, 'The password was wrong too many times.');
    await this.countTry(id);
    const answer = await this.requests.once({ principal, meta, body, resourceId: id }, async (tx) => {
      if (checked.kind === 'wrong') throw new Problem('invalid_credentials', { detail: 'The password is wrong.' });
      await lockUser(tx, id);
      if (!(await this.secondFactor.isEnabled(tx, id))) throw new Problem('second_factor_not_enrolled');
      if (!(await this.secondFactor.use(tx, id, body))) throw new Problem('second_factor_invalid');
      await this.secondFactor.remove(tx, id);
      return { status: 204, body: undefined };
    });
    await this.passwords.forgive(id);
    await forgetSubject(this.database, triesOfSecondFactor(id).subject);
    await sendAnswer(reply, answer);
  }

  private async countTry(userId: string): Promise<void> {
    const retryAfterMs = await countTry(this.database, [triesOfSecondFactor(userId)]);
    if (retryAfterMs !== undefined) throw tooManyTries(retryAfterMs, 'The code was wrong too many times.');
  }
}
