import { z } from 'zod';

import type { EventDefinition } from './envelope.js';

const subject = { tokenId: z.string(), merchantId: z.string().nullable(), userId: z.string().nullable() };

/** Events of a card token. They never carry a card number. */
export const TOKEN_EVENTS = {
  created: {
    topic: 'token.created',
    type: 'token.created.v1',
    summary: 'A card was stored in the vault under a token.',
    payload: z.object({
      ...subject,
      brand: z.string(),
      last4: z.string(),
      fingerprint: z.string(),
      reusable: z.boolean(),
    }),
  },
  deleted: {
    topic: 'token.deleted',
    type: 'token.deleted.v1',
    summary: 'A token was deleted; the card data behind it is erased.',
    payload: z.object(subject),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
