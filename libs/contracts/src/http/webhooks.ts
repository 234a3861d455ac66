import { z } from 'zod';

import { TOPICS } from '../topics.js';
import { idSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

/** What a merchant is told of: by webhook and in the feed. The type is the topic; the version of the payload is beside it. */
export const MERCHANT_EVENT_TYPES = [
  ...TOPICS.payment,
  ...TOPICS.payout,
  ...TOPICS.wallet,
  'settlement.completed',
  'fraud.flagged',
] as const;
export type MerchantEventType = (typeof MERCHANT_EVENT_TYPES)[number];

/** Sent by `POST /webhook-endpoints/{id}/test` alone; in no feed. */
export const TEST_EVENT_TYPE = 'webhook.test';

const GROUPS = new Set(MERCHANT_EVENT_TYPES.map((type) => `${type.slice(0, type.indexOf('.'))}.*`));
const isPattern = (text: string): boolean =>
  text === '*' || GROUPS.has(text) || (MERCHANT_EVENT_TYPES as readonly string[]).includes(text);

const eventTypeSchema = z.enum(MERCHANT_EVENT_TYPES);
const EVENT_TYPES_MAX = 50;
const URL_LENGTH_MAX = 2_000;

const eventTypesSchema = z
  .array(z.string().max(64).refine(isPattern, 'is neither an event type, nor a group such as payment.*, nor *'))
  .min(1)
  .max(EVENT_TYPES_MAX)
  .meta({
    description: 'Types (`payment.captured`), groups of them (`payment.*`), or `*`.',
    examples: [['payment.*', 'payout.paid']],
    example: ['payment.*'],
  });

const urlSchema = z
  .string()
  .min(1)
  .max(URL_LENGTH_MAX)
  .meta({
    description: 'https, at a public address. In demo mode also http, to this machine.',
    examples: ['https://shop.example/payflow'],
  });

export const webhookEndpointIdSchema = idSchema('we');

/** POST /webhook-endpoints */
export const createWebhookEndpointSchema = z
  .strictObject({
    url: urlSchema,
    eventTypes: eventTypesSchema,
    description: textSchema(200).optional(),
    ordered: z.boolean().default(false).meta({
      description:
        'Whether the next event of a payment (or payout …) waits until the one before it was accepted or given up.',
    }),
    merchantId: idSchema('mer').optional().meta({ description: 'For staff: whose endpoint it is.' }),
  })
  .meta({ id: 'CreateWebhookEndpoint' });
export type CreateWebhookEndpointRequest = z.infer<typeof createWebhookEndpointSchema>;

/** PATCH /webhook-endpoints/{id} */
export const updateWebhookEndpointSchema = z
  .strictObject({
    url: urlSchema.optional(),
    eventTypes: eventTypesSchema.optional(),
    description: textSchema(200).nullable().optional(),
    ordered: z.boolean().optional(),
    status: z.enum(['ENABLED', 'DISABLED']).optional().meta({
      description: 'What is owed to a disabled endpoint stays owed; what happens meanwhile is got by `recover`.',
    }),
  })
  .meta({ id: 'UpdateWebhookEndpoint' });
export type UpdateWebhookEndpointRequest = z.infer<typeof updateWebhookEndpointSchema>;

export const WEBHOOK_ENDPOINT_STATUSES = ['ENABLED', 'DISABLED'] as const;
export const WEBHOOK_DISABLED_REASONS = ['merchant', 'failing', 'gone'] as const;

export const webhookEndpointSchema = z
  .object({
    id: webhookEndpointIdSchema,
    merchantId: z.string(),
    url: z.string(),
    eventTypes: z.array(z.string()),
    description: z.string().nullable(),
    ordered: z.boolean(),
    status: z.enum(WEBHOOK_ENDPOINT_STATUSES),
    disabledReason: z.enum(WEBHOOK_DISABLED_REASONS).nullable().meta({
      description: '`merchant`: by request; `failing`: nothing was accepted for days; `gone`: it answered 410.',
    }),
    failingSince: timeSchema.nullable().meta({ description: 'Since then nothing was accepted; null: the last was.' }),
    publicKeys: z.array(z.string()).meta({
      description: 'Ed25519 keys by which `v1a` signatures are verified (`whpk_…`), newest first.',
    }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'WebhookEndpoint' });
export type WebhookEndpointView = z.infer<typeof webhookEndpointSchema>;

const secretField = z.string().meta({ description: 'By which `v1` signatures are verified. Shown this once.' });

export const createdWebhookEndpointSchema = webhookEndpointSchema
  .extend({ secret: secretField })
  .meta({ id: 'CreatedWebhookEndpoint' });

export const listWebhookEndpointsQuerySchema = z.strictObject({
  ...pageQueryFields,
  merchantId: idSchema('mer').optional(),
  status: z.enum(WEBHOOK_ENDPOINT_STATUSES).optional(),
});
export type ListWebhookEndpointsQuery = z.infer<typeof listWebhookEndpointsQuerySchema>;
export const webhookEndpointPageSchema = pageOf(webhookEndpointSchema).meta({ id: 'WebhookEndpointPage' });

const OVERLAP_SECONDS_MAX = 7 * 86_400;

/** POST /webhook-endpoints/{id}/rotate-secret */
export const rotateWebhookSecretSchema = z
  .strictObject({
    overlapSeconds: z.int().min(0).max(OVERLAP_SECONDS_MAX).optional().meta({
      description: 'How long the secrets of before sign too. Without it: a day. 0: they end at once.',
    }),
  })
  .meta({ id: 'RotateWebhookSecret' });
export type RotateWebhookSecretRequest = z.infer<typeof rotateWebhookSecretSchema>;

export const rotatedWebhookSecretSchema = z
  .object({
    id: webhookEndpointIdSchema,
    secret: secretField,
    publicKey: z.string(),
    formerExpireAt: timeSchema.meta({ description: 'Until then deliveries are signed with the former secrets too.' }),
  })
  .meta({ id: 'RotatedWebhookSecret' });

export const WEBHOOK_DELIVERY_STATUSES = ['PENDING', 'DELIVERED', 'FAILED', 'CANCELED'] as const;
export type WebhookDeliveryStatus = (typeof WEBHOOK_DELIVERY_STATUSES)[number];

/** Why a try was none, in one word. */
export const WEBHOOK_TRY_ERRORS = [
  'status',
  'redirect',
  'timeout',
  'address_forbidden',
  'name_not_resolved',
  'connection_failed',
  'tls',
  'bad_answer',
  'secret_unreadable',
] as const;
export type WebhookTryError = (typeof WEBHOOK_TRY_ERRORS)[number];

const statusCodeSchema = z.int().nullable().meta({ description: 'Of the answer; null: there was none.' });
const tryErrorSchema = z.enum(WEBHOOK_TRY_ERRORS).nullable().meta({ description: 'Null: it was accepted.' });

const webhookTrySchema = z
  .object({
    number: z.int(),
    at: timeSchema,
    statusCode: statusCodeSchema,
    error: tryErrorSchema,
    durationMs: z.int(),
  })
  .meta({ id: 'WebhookTry' });
export type WebhookTryView = z.infer<typeof webhookTrySchema>;

export const webhookDeliverySchema = z
  .object({
    id: idSchema('del'),
    endpointId: z.string(),
    eventId: z.string().meta({ description: 'The `webhook-id` of each try.' }),
    eventType: z.string(),
    aggregateId: z.string().meta({ description: 'The payment, payout … that it is about.' }),
    status: z.enum(WEBHOOK_DELIVERY_STATUSES).meta({
      description: 'PENDING: owed. FAILED: given up after its last try. CANCELED: the endpoint was deleted.',
    }),
    triesMade: z.int(),
    nextTryAt: timeSchema.nullable().meta({
      description: 'Null: it is under way or has ended, or the endpoint is disabled.',
    }),
    tries: z.array(webhookTrySchema).meta({ description: 'The latest 20, newest first.' }),
    createdAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDeliveryView = z.infer<typeof webhookDeliverySchema>;
export const webhookDeliveryPageSchema = pageOf(webhookDeliverySchema).meta({ id: 'WebhookDeliveryPage' });

export const listWebhookDeliveriesQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(WEBHOOK_DELIVERY_STATUSES).optional(),
  eventType: z.string().max(64).optional(),
});
export type ListWebhookDeliveriesQuery = z.infer<typeof listWebhookDeliveriesQuerySchema>;

/** One call of `recover` queues so many events at most, and says whether there are more. */
export const RECOVERED_EVENTS_MAX = 5_000;

/** POST /webhook-endpoints/{id}/recover */
export const recoverWebhooksSchema = z
  .strictObject({ since: timeSchema.meta({ description: 'Events that came to be told since then.' }) })
  .meta({ id: 'RecoverWebhooks' });
export type RecoverWebhooksRequest = z.infer<typeof recoverWebhooksSchema>;

export const recoveredWebhooksSchema = z
  .object({
    queued: z.int().meta({ description: 'Events that were never sent to the endpoint, or were given up: owed again.' }),
    complete: z.boolean().meta({
      description: `False: there may be more than these ${RECOVERED_EVENTS_MAX}. Ask again, with a new Idempotency-Key.`,
    }),
  })
  .meta({ id: 'RecoveredWebhooks' });

export const webhookStatisticsSchema = z
  .object({
    endpointId: z.string(),
    pending: z.int().meta({ description: 'Owed now.' }),
    oldestPendingAt: timeSchema.nullable(),
    lastDay: z
      .object({
        tries: z.int(),
        accepted: z.int(),
        refused: z.int(),
        medianMs: z.int().nullable(),
        p95Ms: z.int().nullable(),
      })
      .meta({ description: 'The tries of the last 24 hours; times of the latest thousand.' }),
    lastAcceptedAt: timeSchema.nullable().meta({ description: 'Within the last 24 hours.' }),
    failingSince: timeSchema.nullable(),
    pausedUntil: timeSchema.nullable().meta({
      description: 'Nothing is sent until then: it failed several times in a row. Then one is tried.',
    }),
  })
  .meta({ id: 'WebhookStatistics' });
export type WebhookStatistics = z.infer<typeof webhookStatisticsSchema>;

/** An event as a merchant gets it: the body of a webhook, and an item of the feed. */
export const merchantEventSchema = z
  .object({
    id: z.string().meta({ description: '`evt_…`, also the `webhook-id`. The same event never has two.' }),
    type: z.string().meta({ examples: ['payment.captured'] }),
    version: z.int().meta({ description: 'Of `data`. It grows only when something that was there changes.' }),
    timestamp: timeSchema.meta({ description: 'When it happened.' }),
    merchantId: z.string(),
    aggregateId: z.string().meta({ description: 'The payment, payout … that it is about.' }),
    sequence: z.int().meta({
      description: 'Events of one aggregate are numbered: the higher one is the newer one, however they arrive.',
    }),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'MerchantEvent' });
export type MerchantEvent = z.infer<typeof merchantEventSchema>;

/** GET /events: oldest first, so that whoever keeps the cursor misses nothing. */
export const listEventsQuerySchema = z.strictObject({
  limit: pageQueryFields.limit,
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'must be a nextCursor of this list')
    .optional(),
  type: eventTypeSchema.optional(),
  since: timeSchema.optional().meta({ description: 'Without a cursor: where the feed begins.' }),
  merchantId: idSchema('mer').optional().meta({ description: 'For staff: whose feed.' }),
});
export type ListEventsQuery = z.infer<typeof listEventsQuerySchema>;

export const eventFeedSchema = z
  .object({
    data: z.array(merchantEventSchema),
    nextCursor: z.string().meta({ description: 'What comes next is behind it, also when there is nothing yet.' }),
    hasMore: z.boolean(),
  })
  .meta({ id: 'EventFeed' });
