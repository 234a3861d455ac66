import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';

import { Passwords } from '../credentials/passwords.js';
import type { Address } from '../domain/login-name.js';
import { deleteCodesOf, type OpenCode, useCode } from '../store/account-codes.js';
import { forgetSubject } from '../store/login-throttle.js';
import {
  findNewestClaim,
  findOwnerOfAddress,
  findUser,
  lockUser,
  setPasswordHash,
  setPendingAddress,
  type User,
} from '../store/users.js';
import { countTry, sendingsTo, triesOfName, triesOfPassword } from './attempts.js';
import { Codes } from './codes.js';
import { ProveAddress } from './prove-address.js';
import { SecondFactor } from './second-factor.js';
import { Sessions } from './sessions.js';

export type PasswordCheck =
  | { readonly kind: 'right'; readonly user: User }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number };

/** New passwords: by the old one, or by a code that went to an address. Either ends the sessions of before. */
@Injectable()
export class ChangePassword {
  constructor(
    private readonly database: Database,
    private readonly passwords: Passwords,
    private readonly sessions: Sessions,
    private readonly codes: Codes,
    private readonly addresses: ProveAddress,
    private readonly secondFactor: SecondFactor,
  ) {}

  /**
   * Whether the person who is logged in knows his password. Counted as a failed try; {@link forgive} takes it back.
   *
   * @throws TooManyPasswordsError
   */
  async check(userId: string, password: string): Promise<PasswordCheck> {
    const retryAfterMs = await countTry(this.database, [triesOfPassword(userId)]);
    if (retryAfterMs !== undefined) return { kind: 'throttled', retryAfterMs };
    const user = await findUser(this.database, userId);
    const matches = await this.passwords.matches(password, user?.passwordHash);
    return user && matches ? { kind: 'right', user } : { kind: 'wrong' };
  }

  async forgive(userId: string): Promise<void> {
    await forgetSubject(this.database, triesOfPassword(userId).subject);
  }

  /** @returns false when the password was changed since it was checked */
  async change(
    tx: Tx,
    checked: User,
    change: { readonly passwordHash: string; readonly sessionId: string },
  ): Promise<boolean> {
    const user = await lockUser(tx, checked.id);
    if (user?.passwordHash !== checked.passwordHash) return false;
    await setPasswordHash(tx, user.id, change.passwordHash);
    await deleteCodesOf(tx, user.id, 'password_reset');
    await this.sessions.endAll(tx, user.id, 'password', change.sessionId);
    return true;
  }

  /** Sends a code to whose address it is. Nobody is told whether there is such a person, nor that too many were sent. */
  async forgot(address: Address): Promise<void> {
    if ((await countTry(this.database, [sendingsTo(address)])) !== undefined) return;
    await this.database.transaction(async (tx) => {
      const user = (await findOwnerOfAddress(tx, address)) ?? (await findNewestClaim(tx, address));
      if (user?.status === 'ACTIVE' && mayBeHis(user, address))
        await this.codes.send(tx, user, 'password_reset', address);
    });
  }

  /** The code that was typed, counted as a try, whatever becomes of it. */
  async tryCode(address: Address, code: string): Promise<OpenCode | undefined> {
    return await this.codes.tryCode('password_reset', address, code);
  }

  /** @returns whether the code was good */
  async reset(tx: Tx, address: Address, code: OpenCode | undefined, passwordHash: string): Promise<boolean> {
    const user = code && (await lockUser(tx, code.userId));
    if (!code || user?.status !== 'ACTIVE' || !(await useCode(tx, 'password_reset', code))) return false;
    const claimed = address.kind === 'email' ? user.emailVerifiedAt === null : user.phoneVerifiedAt === null;
    if (claimed && !(mayBeHis(user, address) && (await this.takeOver(tx, user, address)))) return false;
    await setPasswordHash(tx, user.id, passwordHash);
    await forgetSubject(tx, triesOfName(address).subject);
    await this.sessions.endAll(tx, user.id, 'password');
    return true;
  }

  /**
   * The code proves the address too. Whoever opened the account may have been somebody else, who gave this address before
   * its owner came: nothing that he left behind may let him in again. (An account with another address that is proven is not
   * taken over at all.)
   */
  private async takeOver(tx: Tx, user: User, address: Address): Promise<boolean> {
    await this.secondFactor.remove(tx, user.id);
    await deleteCodesOf(tx, user.id, 'verification');
    await setPendingAddress(tx, user.id, 'email', null);
    await setPendingAddress(tx, user.id, 'phone', null);
    return (await this.addresses.prove(tx, user, address)) !== undefined;
  }
}

/**
 * Whether the reader of the address may have the account. Not where he has not proven it and somebody has proven another one:
 * that account is the other one's, who could take it back by his address, with all that had come to it by then.
 */
const mayBeHis = (user: User, { kind }: Address): boolean => {
  const [his, other] =
    kind === 'email' ? [user.emailVerifiedAt, user.phoneVerifiedAt] : [user.phoneVerifiedAt, user.emailVerifiedAt];
  return his !== null || other === null;
};
