import { Injectable } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import type { LoginName } from '../domain/login-name.js';
import { insertUser, NEW_USER, type User } from '../store/users.js';
import { Codes } from './codes.js';
import { registeredEvent } from './user-events.js';

export interface Registration {
  readonly name: LoginName;
  readonly passwordHash: string;
  /** What people call him. */
  readonly displayName: string | null;
  /** False: so much went to the address lately that nothing more goes now. */
  readonly mayWrite: boolean;
}

export type RegistrationOutcome =
  { readonly kind: 'registered'; readonly user: User } | { readonly kind: 'username_taken' };

/**
 * Opens accounts. A user name is one account's. An address is only claimed: whoever registers with one that is somebody
 * else's gets an account all the same, that can never prove it, so that nothing tells him of the other (docs/identity.md).
 */
@Injectable()
export class Register {
  constructor(
    private readonly outbox: Outbox,
    private readonly codes: Codes,
  ) {}

  async run(tx: Tx, registration: Registration): Promise<RegistrationOutcome> {
    const { name, passwordHash, displayName, mayWrite } = registration;
    const user: User = {
      ...NEW_USER,
      id: newId('usr'),
      [name.kind]: name.value,
      passwordHash,
      name: displayName,
      roles: ['customer'],
    };
    if (!(await insertUser(tx, user))) return { kind: 'username_taken' };
    const registered = registeredEvent(user, new Date());
    if (name.kind === 'username' || !mayWrite) await this.outbox.publish(tx, [registered]);
    else await this.codes.send(tx, user, 'verification', { kind: name.kind, value: name.value }, [registered]);
    return { kind: 'registered', user };
  }
}
