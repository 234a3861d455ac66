import { Injectable } from '@nestjs/common';
import { Outbox } from '@payflow/messaging';
import { Database, isUniqueViolation, type Tx } from '@payflow/postgres';

import type { Address } from '../domain/login-name.js';
import { deleteCodesOf, type OpenCode, useCode } from '../store/account-codes.js';
import {
  findNewestClaim,
  findOwnerOfAddress,
  findPendingClaim,
  lockUser,
  setProvenAddress,
  type User,
} from '../store/users.js';
import { countTry, sendingsTo } from './attempts.js';
import { Codes } from './codes.js';
import { verifiedEvent } from './user-events.js';

/** Shows that an address is a person's: a code goes there and comes back. */
@Injectable()
export class ProveAddress {
  constructor(
    private readonly database: Database,
    private readonly codes: Codes,
    private readonly outbox: Outbox,
  ) {}

  /**
   * The code that was typed, counted as a try, whatever becomes of it.
   *
   * @param only whose code counts: that of the person who asks, when he is logged in, and of the account he names
   */
  async tryCode(address: Address, code: string, only: readonly string[]): Promise<OpenCode | undefined> {
    return await this.codes.tryCode('verification', address, code, only);
  }

  /** @returns the person as he is now, or undefined when the code is good for nothing */
  async verify(tx: Tx, address: Address, code: OpenCode | undefined): Promise<User | undefined> {
    const user = code && (await lockUser(tx, code.userId));
    if (!code || user?.status !== 'ACTIVE' || !(await useCode(tx, 'verification', code))) return undefined;
    return await this.prove(tx, user, address);
  }

  /** @returns undefined when the address is proven to be somebody else's */
  async prove(tx: Tx, user: User, address: Address): Promise<User | undefined> {
    const at = new Date();
    const owner = await findOwnerOfAddress(tx, address);
    if (owner && owner.id !== user.id) return undefined;
    try {
      await setProvenAddress(tx, user.id, address, at);
    } catch (error) {
      // Two who claim one address prove it at the same moment. The transaction is undone with the refusal.
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
    // A code for a new password that lies in the mailbox of before is good for nothing any more.
    await deleteCodesOf(tx, user.id, 'password_reset');
    const proven: User =
      address.kind === 'email'
        ? { ...user, email: address.value, emailVerifiedAt: at, pendingEmail: null }
        : { ...user, phone: address.value, phoneVerifiedAt: at, pendingPhone: null };
    await this.outbox.publish(tx, [verifiedEvent(proven, address, at)]);
    return proven;
  }

  /**
   * Sends another code to who gave the address last and has not proven it. Nobody is told whether there is such a person.
   *
   * @returns how long to wait, when so much went to the address lately
   */
  async resend(address: Address): Promise<number | undefined> {
    const retryAfterMs = await countTry(this.database, [sendingsTo(address)]);
    if (retryAfterMs !== undefined) return retryAfterMs;
    await this.database.transaction(async (tx) => {
      const user = (await findNewestClaim(tx, address)) ?? (await findPendingClaim(tx, address));
      if (user?.status === 'ACTIVE') await this.codes.send(tx, user, 'verification', address);
    });
    return undefined;
  }
}
