import { Body, Controller, Header, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type Principal,
  type Registered,
  registeredSchema,
  type RegisterRequest,
  registerSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import {
  AcceptsForm,
  type Answer,
  Answers,
  Idempotency,
  Problem,
  Public,
  RequestMeta,
  sendAnswer,
} from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { AccountKeys } from '../application/account-keys.js';
import { Register, type Registration } from '../application/register.js';
import { Passwords } from '../credentials/passwords.js';
import { type LoginName, newNameOf } from '../domain/login-name.js';
import { weaknessOf } from '../domain/password-rules.js';
import type { User } from '../store/users.js';
import { fieldProblem } from './field-problem.js';
import { refuseFieldsInUrl } from './not-in-url.js';
import { hashedPassword } from './password-work.js';

const LEASE_MS = 30_000;
/** Whoever has no account yet. Keys of strangers are told apart by the request, of which the hash is keyed. */
const STRANGER: Principal = { id: 'public', kind: 'user', roles: [], scopes: [] };

@ApiTags('Identity')
@Controller('auth')
export class RegistrationController {
  private readonly idempotency: Idempotency;

  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly accounts: Register,
    idempotency: Idempotency,
    keys: AccountKeys,
  ) {
    this.idempotency = idempotency.withHash((content) => keys.requestHash(content));
  }

  @Post('register')
  @Public()
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
    const registration = await this.registrationOf(body, meta);
    const identity = this.idempotency.identify({ meta, principal: STRANGER, body });
    const options = { resourceId: registration.name.value, leaseMs: LEASE_MS, moneyMoving: false };
    const answer = await this.idempotency.runOnce(this.database, identity, options, async (tx): Promise<Answer> => {
      const outcome = await this.accounts.run(tx, registration);
      if (outcome.kind === 'username_taken')
        throw new Problem('username_taken', { detail: `The username ${registration.name.value} exists already.` });
      return { status: 201, body: answerOf(outcome.user, registration.name) };
    });
    await sendAnswer(reply, answer);
  }

  private async registrationOf(body: RegisterRequest, meta: RequestMeta): Promise<Registration> {
    refuseFieldsInUrl(meta.query);
    const name = newNameOf(body);
    if (!name) throw new Error('invariant: the schema asks for one login name');
    if (!name.usable) throw fieldProblem(name.field, `unusable_${name.field}`, name.reason);
    const weakness = weaknessOf(body.password, [name.name.value]);
    if (weakness !== undefined) throw fieldProblem('password', 'weak_password', weakness);
    const passwordHash = await hashedPassword(this.passwords, body.password);
    return { name: name.name, passwordHash, displayName: body.name ?? null };
  }
}

const answerOf = (user: User, name: LoginName): Registered => ({
  userId: user.id,
  [name.kind]: name.value,
  message: `User ${name.value} registered successfully`,
  verification: {
    required: name.kind !== 'username',
    channel: name.kind === 'username' ? null : name.kind === 'email' ? 'email' : 'sms',
  },
});
