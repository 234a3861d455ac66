import { Injectable } from '@nestjs/common';
import { USER_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import type { LoginName } from '../domain/login-name.js';
import { insertUser, NEW_USER, type User } from '../store/users.js';

export interface Registration {
  readonly name: LoginName;
  readonly passwordHash: string;
  /** What people call him. */
  readonly displayName: string | null;
}

export type RegistrationOutcome =
  { readonly kind: 'registered'; readonly user: User } | { readonly kind: 'username_taken' };

/** Opens accounts. */
@Injectable()
export class Register {
  constructor(private readonly outbox: Outbox) {}

  async run(tx: Tx, registration: Registration): Promise<RegistrationOutcome> {
    const { name, passwordHash, displayName } = registration;
    const user: User = {
      ...NEW_USER,
      id: newId('usr'),
      [name.kind]: name.value,
      passwordHash,
      name: displayName,
      roles: ['customer'],
    };
    if (!(await insertUser(tx, user))) return { kind: 'username_taken' };
    await this.outbox.publishFirst(tx, [
      {
        definition: USER_EVENTS.registered,
        aggregateId: user.id,
        merchantId: null,
        key: user.id,
        payload: {
          userId: user.id,
          roles: [...user.roles],
          username: user.username,
          email: user.email,
          phone: user.phone,
        },
        occurredAt: new Date(),
      },
    ]);
    return { kind: 'registered', user };
  }
}
