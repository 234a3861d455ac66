import { z } from 'zod';

import type { EventDefinition } from './envelope.js';

const userIdField = { userId: z.string() };

/** With what a code is sealed besides the key: one that is moved to another address does not open. */
export const sealedCodePlace = (to: string): string => `user-code:${to}`;

/** Events of a person's account. The aggregate is the user. */
export const USER_EVENTS = {
  registered: {
    topic: 'user.registered',
    type: 'user.registered.v1',
    summary: 'A person has an account.',
    payload: z.object({
      ...userIdField,
      roles: z.array(z.string()),
      username: z.string().nullable(),
      email: z.string().nullable(),
      phone: z.string().nullable().meta({ description: 'E.164.' }),
    }),
  },
  verified: {
    topic: 'user.verified',
    type: 'user.verified.v1',
    summary: 'A person has shown that an email address or a phone number is his.',
    payload: z.object({
      ...userIdField,
      channel: z.enum(['email', 'phone']),
      address: z.string(),
      complete: z.boolean().meta({ description: 'Nothing of this account waits for verification any more.' }),
    }),
  },
  blocked: {
    topic: 'user.blocked',
    type: 'user.blocked.v1',
    summary: 'An account was blocked: none of its tokens works any more.',
    payload: z.object({ ...userIdField, reason: z.string().nullable() }),
  },
  unblocked: {
    topic: 'user.unblocked',
    type: 'user.unblocked.v1',
    summary: 'A blocked account may be used again, after a new login.',
    payload: z.object(userIdField),
  },
  codeIssued: {
    topic: 'user.code_issued',
    type: 'user.code_issued.v1',
    summary: 'Something is to be told to a person: a code, or that somebody tried to register with his address.',
    payload: z.object({
      userId: z.string().nullable(),
      channel: z.enum(['email', 'sms']),
      to: z.string(),
      purpose: z.enum(['verification', 'password_reset', 'already_registered']),
      codeSealed: z
        .string()
        .nullable()
        .meta({ description: 'The code under the key that auth shares with who sends it (AES-256-GCM, base64).' }),
      expiresAt: z.iso.datetime().nullable(),
    }),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
