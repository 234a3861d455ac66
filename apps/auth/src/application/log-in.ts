import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';

import { Passwords } from '../credentials/passwords.js';
import type { LoginName } from '../domain/login-name.js';
import { ACCOUNT_POLICY } from '../domain/throttle.js';
import { forgetSubject, takeBackTry } from '../store/login-throttle.js';
import { findLoginCandidates, lockUser, type User } from '../store/users.js';
import { type Attempted, countTry, triesOfAddress } from './attempts.js';
import { type Device, Sessions, type SessionTokens } from './sessions.js';

export interface LoginAttempt {
  readonly name: LoginName;
  readonly password: string;
  readonly device: Device;
}

export type LoginOutcome =
  | { readonly kind: 'logged_in'; readonly tokens: SessionTokens }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number };

/**
 * Checks a password. Every try takes the same steps whether or not there is such an account, and every refusal is the same:
 * unknown, wrong and blocked look alike from outside.
 */
@Injectable()
export class LogIn {
  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly sessions: Sessions,
  ) {}

  /** @throws TooManyPasswordsError */
  async run(attempt: LoginAttempt): Promise<LoginOutcome> {
    const account = triesOfName(attempt.name);
    const address = triesOfAddress(attempt.device.address);
    const retryAfterMs = await countTry(this.database, [account, address]);
    if (retryAfterMs !== undefined) return { kind: 'throttled', retryAfterMs };
    const user = await this.whosePassword(attempt);
    if (user?.status !== 'ACTIVE') return { kind: 'refused' };
    const tokens = await this.openSession(user, attempt);
    if (!tokens) return { kind: 'refused' };
    await forgetSubject(this.database, account.subject);
    await takeBackTry(this.database, address.subject);
    return { kind: 'logged_in', tokens };
  }

  /** One argon2id for each account that the name may mean, whether or not there is one. */
  private async whosePassword({ name, password }: LoginAttempt): Promise<User | undefined> {
    const candidates = await findLoginCandidates(this.database, name);
    let right: User | undefined;
    for (const candidate of candidates) {
      const matches = await this.passwords.matches(password, candidate?.passwordHash);
      if (matches) right ??= candidate;
    }
    return right;
  }

  private async openSession(checked: User, { device }: LoginAttempt): Promise<SessionTokens | undefined> {
    return await this.database.transaction(async (tx) => {
      const user = await lockUser(tx, checked.id);
      // Changed while the password was being checked: what was right a moment ago is not any more.
      if (user?.status !== 'ACTIVE' || user.passwordHash !== checked.passwordHash) return undefined;
      return await this.sessions.open(tx, user, device);
    });
  }
}

const triesOfName = (name: LoginName): Attempted => ({
  subject: `account:${name.kind}:${name.value}`,
  policy: ACCOUNT_POLICY,
});
