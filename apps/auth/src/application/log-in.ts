import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';

import { Passwords } from '../credentials/passwords.js';
import type { LoginName } from '../domain/login-name.js';
import { forgetSubject, takeBackTry } from '../store/login-throttle.js';
import { holdMembershipsOf, type Membership } from '../store/memberships.js';
import { findLoginCandidates, lockUser, type User } from '../store/users.js';
import { countTry, triesOfAddress, triesOfName, triesOfSecondFactor } from './attempts.js';
import { SecondFactor, type ShownCode } from './second-factor.js';
import { type Device, Sessions, type SessionTokens } from './sessions.js';

export interface LoginAttempt {
  readonly name: LoginName;
  readonly password: string;
  /** Asked for when the account has a second factor. */
  readonly shown: ShownCode;
  readonly device: Device;
  /** For whom he wants to act, when for one of several. */
  readonly merchantId: string | undefined;
}

export type LoginOutcome =
  | { readonly kind: 'logged_in'; readonly tokens: SessionTokens }
  | { readonly kind: 'refused' }
  /** The password was right. */
  | { readonly kind: 'second_factor_required' }
  | { readonly kind: 'second_factor_invalid' }
  /** Of the merchant that the attempt names. */
  | { readonly kind: 'not_a_member' }
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
    private readonly secondFactor: SecondFactor,
  ) {}

  /** @throws TooManyPasswordsError */
  async run(attempt: LoginAttempt): Promise<LoginOutcome> {
    const account = triesOfName(attempt.name);
    const address = triesOfAddress(attempt.device.address);
    const retryAfterMs = await countTry(this.database, [account, address]);
    if (retryAfterMs !== undefined) return { kind: 'throttled', retryAfterMs };
    const user = await this.whosePassword(attempt);
    if (user?.status !== 'ACTIVE') return { kind: 'refused' };
    // The try stays counted until both were right: who has the password alone must not get more tries by it.
    const secondFactor = await this.checkSecondFactorTries(user, attempt.shown);
    if (secondFactor) return secondFactor;
    const outcome = await this.openSession(user, attempt);
    if (outcome.kind !== 'logged_in') return outcome;
    // Whoever only claims an address must not, by his own password, start the count anew for that of its owner.
    if (isOwnName(attempt.name, user)) await forgetSubject(this.database, account.subject);
    else await takeBackTry(this.database, account.subject);
    await forgetSubject(this.database, triesOfSecondFactor(user.id).subject);
    await takeBackTry(this.database, address.subject);
    return outcome;
  }

  /** @returns why no code is looked at now */
  private async checkSecondFactorTries(user: User, shown: ShownCode): Promise<LoginOutcome | undefined> {
    if (!(await this.secondFactor.isEnabled(this.database, user.id))) return undefined;
    if (shown.totp === undefined && shown.recoveryCode === undefined) return { kind: 'second_factor_required' };
    const retryAfterMs = await countTry(this.database, [triesOfSecondFactor(user.id)]);
    return retryAfterMs === undefined ? undefined : { kind: 'throttled', retryAfterMs };
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

  private async openSession(checked: User, { device, shown, merchantId }: LoginAttempt): Promise<LoginOutcome> {
    return await this.database.transaction(async (tx): Promise<LoginOutcome> => {
      const user = await lockUser(tx, checked.id);
      // Changed while the password was being checked: what was right a moment ago is not any more.
      if (user?.status !== 'ACTIVE' || user.passwordHash !== checked.passwordHash) return { kind: 'refused' };
      const membership = membershipFor(await holdMembershipsOf(tx, user.id), merchantId);
      if (merchantId !== undefined && !membership) return { kind: 'not_a_member' };
      if (!(await this.secondFactor.use(tx, user.id, shown))) return { kind: 'second_factor_invalid' };
      return { kind: 'logged_in', tokens: await this.sessions.open(tx, user, device, membership) };
    });
  }
}

/** Nobody else can log in by this name. */
const isOwnName = ({ kind }: LoginName, user: User): boolean => {
  if (kind === 'username') return true;
  return (kind === 'email' ? user.emailVerifiedAt : user.phoneVerifiedAt) !== null;
};

/** The one that is named, or the only one there is. Of several, none is guessed. */
const membershipFor = (memberships: readonly Membership[], merchantId: string | undefined): Membership | undefined => {
  if (merchantId !== undefined) return memberships.find((membership) => membership.merchantId === merchantId);
  return memberships.length === 1 ? memberships[0] : undefined;
};
