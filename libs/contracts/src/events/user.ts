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
} as const satisfies Readonly<Record<string, EventDefinition>>;
