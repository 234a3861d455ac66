import { Injectable } from '@nestjs/common';
import { isId } from '@payflow/kernel';
import { InjectConfig, Problem } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';

/**
 * Users and merchants by the names that the operator's own systems have for them. They are settings and not rows: whoever
 * runs PayFlow knows them, and what they stand for never changes while a payment names them.
 */
@Injectable()
export class ExternalParties {
  constructor(@InjectConfig() private readonly config: PaymentConfig) {}

  /** @throws Problem party_not_known, naming the field */
  user(named: string, field: string): string {
    return this.partyOf('usr', this.config.EXTERNAL_REFERENCES.users, named, field);
  }

  /** @throws Problem party_not_known, naming the field */
  merchant(named: string, field: string): string {
    return this.partyOf('mer', this.config.EXTERNAL_REFERENCES.merchants, named, field);
  }

  /** The user with this name, or the name itself where it stands for nobody else. */
  userOrSame(named: string): string {
    const { users } = this.config.EXTERNAL_REFERENCES;
    return Object.hasOwn(users, named) ? (users[named] ?? named) : named;
  }

  private partyOf(kind: 'usr' | 'mer', known: Readonly<Record<string, string>>, named: string, field: string): string {
    const id = isId(kind, named) ? named : Object.hasOwn(known, named) ? known[named] : undefined;
    if (id !== undefined) return id;
    throw new Problem('party_not_known', {
      errors: [
        { pointer: `/${field}`, code: 'not_known', message: `is neither an id (${kind}_…) nor a known reference` },
      ],
    });
  }
}
