import { z } from 'zod';

import type { EventDefinition } from './envelope.js';

/** Events of notification. The aggregate is the delivery. */
export const NOTIFICATION_EVENTS = {
  failed: {
    topic: 'notification.failed',
    type: 'notification.failed.v1',
    summary: 'A webhook, mail or message was given up after its last try, or an endpoint was disabled.',
    payload: z.object({
      deliveryId: z.string(),
      channel: z.enum(['webhook', 'email', 'sms']),
      merchantId: z.string().nullable(),
      userId: z.string().nullable(),
      endpointId: z.string().nullable(),
      eventId: z.string().nullable().meta({ description: 'The event that was to be told.' }),
      tries: z.int(),
      reason: z.string(),
      endpointDisabled: z.boolean(),
    }),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
