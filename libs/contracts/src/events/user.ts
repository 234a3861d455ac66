import { z } from 'zod';

import type { EventDefinition } from './envelope.js';

/** Events of a person's account. */
export const USER_EVENTS = {
  registered: {
    topic: 'user.registered',
    type: 'user.registered.v1',
    summary: 'A person has an account.',
    payload: z.object({ userId: z.string(), roles: z.array(z.string()) }),
  },
  blocked: {
    topic: 'user.blocked',
    type: 'user.blocked.v1',
    summary: "The account is blocked; the person's tokens are void from now on.",
    payload: z.object({ userId: z.string(), blocked: z.boolean(), at: z.iso.datetime() }),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
