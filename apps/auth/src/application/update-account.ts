import { Injectable } from '@nestjs/common';
import type { Tx } from '@payflow/postgres';

import type { Address } from '../domain/login-name.js';
import { isSessionOpen } from '../store/sessions.js';
import { lockUser, setClaimedAddress, setName, setPendingAddress, type User } from '../store/users.js';
import { Codes } from './codes.js';

export interface AccountChanges {
  readonly name: string | null | undefined;
  readonly addresses: readonly Address[];
}

/** What a person changes about himself. */
@Injectable()
export class UpdateAccount {
  constructor(private readonly codes: Codes) {}

  /**
   * A new address takes the place of one that was never proven; one that is proven, or none, stays until the new one is
   * proven: a slip of the finger locks nobody out of his mail, nor of his money.
   *
   * @returns false when the session has ended while the request waited: an address that it left behind would be a way back
   */
  async run(
    tx: Tx,
    person: { readonly id: string; readonly sessionId: string },
    changes: AccountChanges,
  ): Promise<boolean> {
    const userId = person.id;
    const user = await lockUser(tx, userId);
    if (!user) throw new Error('invariant: a session of nobody');
    if (!(await isSessionOpen(tx, person.sessionId))) return false;
    if (changes.name !== undefined) await setName(tx, userId, changes.name);
    for (const address of changes.addresses) await this.changeAddress(tx, user, address);
    return true;
  }

  private async changeAddress(tx: Tx, user: User, address: Address): Promise<void> {
    const current = address.kind === 'email' ? user.email : user.phone;
    const provenAt = address.kind === 'email' ? user.emailVerifiedAt : user.phoneVerifiedAt;
    if (current === address.value && provenAt !== null) {
      await setPendingAddress(tx, user.id, address.kind, null);
      return;
    }
    if (current !== null && provenAt === null) await setClaimedAddress(tx, user.id, address);
    else await setPendingAddress(tx, user.id, address.kind, address.value);
    await this.codes.send(tx, user, 'verification', address);
  }
}
