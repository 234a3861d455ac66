import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  changePasswordSchema,
  codeRequestedSchema,
  codeRequestSchema,
  type Principal,
  resetPasswordSchema,
} from '@payflow/contracts';
import { AcceptsForm, Access, Answers, Caller, Problem, Public, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ChangePassword } from '../application/change-password.js';
import { Passwords } from '../credentials/passwords.js';
import { AccountRequests, personOf } from './account-requests.js';
import { inEvenTime } from './even-time.js';
import { hashOfNewPassword, withRoom } from './new-password.js';
import { NothingInUrl } from './not-in-url.js';
import { tooManyTries } from './too-many-tries.js';
import { typedAddress } from './typed-address.js';

@ApiTags('Identity')
@Controller('auth/password')
export class PasswordController {
  constructor(
    private readonly requests: AccountRequests,
    private readonly passwords: Passwords,
    private readonly changes: ChangePassword,
  ) {}

  @Post()
  @Access('account:write')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Change the password',
    description: 'Ends all other sessions: tokens from before are refused everywhere within a second.',
  })
  @ApiNoContentResponse({ description: 'The password is changed.' })
  async changePassword(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: changePasswordSchema }) body: z.infer<typeof changePasswordSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const person = personOf(principal);
    const checked = await withRoom(async () => await this.changes.check(person.id, body.currentPassword));
    if (checked.kind === 'throttled')
      throw tooManyTries(checked.retryAfterMs, 'The password was wrong too many times.');
    const names = checked.kind === 'right' ? [checked.user.username, checked.user.email] : [];
    const passwordHash = await hashOfNewPassword(
      this.passwords,
      'newPassword',
      body.newPassword,
      names.filter((name) => name !== null),
    );
    // A wrong password is refused within: by then a repetition of what succeeded has been recognised, and is answered.
    const answer = await this.requests.once({ principal, meta, body, resourceId: person.id }, async (tx) => {
      const { sessionId } = person;
      if (checked.kind === 'wrong' || !(await this.changes.change(tx, checked.user, { passwordHash, sessionId })))
        throw new Problem('invalid_credentials', { detail: 'The current password is wrong.' });
      return { status: 204, body: undefined };
    });
    await this.changes.forgive(person.id);
    await sendAnswer(reply, answer);
  }

  @Post('forgot')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for a code for a new password',
    description: 'The answer is the same, and takes the same time, whether or not there is such an account.',
  })
  @Answers(202, codeRequestedSchema, 'If there is an account with this address, a code is on its way.')
  async forgotPassword(
    @Body({ schema: codeRequestSchema }) body: z.infer<typeof codeRequestSchema>,
  ): Promise<z.infer<typeof codeRequestedSchema>> {
    await inEvenTime(async () => {
      await this.changes.forgot(typedAddress(body));
    });
    return { message: 'If there is an account with this address, a code is on its way.' };
  }

  @Post('reset')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Set a new password with a code',
    description: 'Ends all sessions. The code proves the address too. A second factor stays.',
  })
  @ApiNoContentResponse({ description: 'The password is set. Log in with it.' })
  async resetPassword(
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: resetPasswordSchema }) body: z.infer<typeof resetPasswordSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const address = typedAddress(body);
    const passwordHash = await hashOfNewPassword(this.passwords, 'password', body.password, [address.value]);
    const code = await this.changes.tryCode(address, body.code);
    const answer = await this.requests.once({ meta, body, resourceId: address.value }, async (tx) => {
      if (!(await this.changes.reset(tx, address, code, passwordHash))) throw new Problem('code_invalid');
      return { status: 204, body: undefined };
    });
    await sendAnswer(reply, answer);
  }
}
