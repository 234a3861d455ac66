import { Controller } from '@nestjs/common';
import { type Envelope, USER_EVENTS } from '@payflow/contracts';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import type { z } from 'zod';

import { Claims } from '../application/claims.js';
import { insertOwner, markStatus, markVerified } from '../store/owners.js';

/** Names the consumer group, its inbox and its gates. Never renamed, or every event would be applied again. */
export const OWNERS_CONSUMER = 'wallet.owners';

/** Who people are, as auth tells it; and money that waits for an address finds whoever verifies it. */
@Controller()
export class UserEventsController {
  constructor(private readonly claims: Claims) {}

  @Subscription({ consumer: OWNERS_CONSUMER, kind: 'user', ordered: true })
  async learn(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    for (const { envelope } of deliveries) await this.apply(tx, envelope);
  }

  private async apply(tx: Tx, envelope: Envelope): Promise<void> {
    switch (envelope.type) {
      case USER_EVENTS.registered.type: {
        const { userId, username, email, phone } = payloadOf(USER_EVENTS.registered, envelope);
        const known = { emailVerified: false, phoneVerified: false, status: 'ACTIVE' } as const;
        // A user name alone has nothing to verify.
        await insertOwner(tx, { userId, username, email, phone, verified: email === null && phone === null, ...known });
        return;
      }
      case USER_EVENTS.verified.type: {
        const { userId, channel, address, complete } = payloadOf(USER_EVENTS.verified, envelope);
        await markVerified(tx, userId, { channel, address, complete });
        await this.claims.addressVerified(tx, channel, address);
        return;
      }
      case USER_EVENTS.blocked.type:
        await markStatus(tx, payloadOf(USER_EVENTS.blocked, envelope).userId, 'BLOCKED');
        return;
      case USER_EVENTS.unblocked.type:
        await markStatus(tx, payloadOf(USER_EVENTS.unblocked, envelope).userId, 'ACTIVE');
        return;
      case USER_EVENTS.codeIssued.type:
        return;
      default:
        throw new PoisonError(`the wallet service does not know ${envelope.type}`);
    }
  }
}

const payloadOf = <Definition extends { readonly type: string; readonly payload: z.ZodType }>(
  definition: Definition,
  { type, payload }: Envelope,
): z.infer<Definition['payload']> => {
  const parsed = definition.payload.safeParse(payload);
  if (!parsed.success) throw new PoisonError(`the payload is not that of ${type}`, { cause: parsed.error });
  return parsed.data as z.infer<Definition['payload']>;
};
