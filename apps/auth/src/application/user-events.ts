import { USER_EVENTS } from '@payflow/contracts';
import type { OutgoingEvent } from '@payflow/messaging';

import type { Address } from '../domain/login-name.js';
import { isVerified, type User } from '../store/users.js';

const about = (userId: string, at: Date) => ({ aggregateId: userId, merchantId: null, key: userId, occurredAt: at });

export const registeredEvent = (user: User, at: Date): OutgoingEvent => ({
  ...about(user.id, at),
  definition: USER_EVENTS.registered,
  payload: {
    userId: user.id,
    roles: [...user.roles],
    username: user.username,
    email: user.email,
    phone: user.phone,
  },
});

/** @param user as he is now */
export const verifiedEvent = (user: User, address: Address, at: Date): OutgoingEvent => ({
  ...about(user.id, at),
  definition: USER_EVENTS.verified,
  payload: { userId: user.id, channel: address.kind, address: address.value, complete: isVerified(user) },
});
