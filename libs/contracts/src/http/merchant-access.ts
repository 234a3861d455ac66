import { z } from 'zod';

import { type Scope, SCOPES } from '../access.js';
import { idSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';
import { merchantSchema } from './auth.js';

const scopeSchema = z.enum(Object.keys(SCOPES) as [Scope, ...Scope[]]);
const scopesField = z.array(scopeSchema).min(1).max(50);

const SHOWN_ONCE = 'Shown in this answer only, and when the same request is repeated with its Idempotency-Key.';

/** A week; what rolls over more slowly than that is not rolled. */
const OVERLAP_SECONDS_MAX = 7 * 86_400;
const overlapField = z
  .int()
  .min(0)
  .max(OVERLAP_SECONDS_MAX)
  .default(0)
  .meta({ description: 'For how long the old one works beside the new one.' });

export const merchantIdSchema = idSchema('mer');
export const merchantPageSchema = pageOf(merchantSchema).meta({ id: 'MerchantPage' });

/** GET /merchants. */
export const listMerchantsQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(['ACTIVE', 'BLOCKED']).optional(),
});
export type ListMerchantsQuery = z.infer<typeof listMerchantsQuerySchema>;

/** PATCH /merchants/{merchantId}. */
export const updateMerchantSchema = z.strictObject({ name: textSchema(200) }).meta({ id: 'UpdateMerchant' });
/** POST /merchants/{merchantId}/block. */
export const blockMerchantSchema = z.strictObject({ reason: textSchema(500) }).meta({ id: 'BlockMerchant' });

// People

export const MEMBERSHIP_ROLES = ['OWNER', 'MEMBER'] as const;
export type MembershipRole = (typeof MEMBERSHIP_ROLES)[number];
const MEMBERSHIP_STATUSES = ['INVITED', 'ACTIVE'] as const;
export type MembershipStatus = (typeof MEMBERSHIP_STATUSES)[number];
const membershipStatusField = z
  .enum(MEMBERSHIP_STATUSES)
  .meta({ description: 'INVITED until the person accepts; only who is ACTIVE acts for the merchant.' });

/** POST /merchants/{merchantId}/members: one of userId, username, email and phone. */
export const saveMemberSchema = z
  .strictObject({
    userId: idSchema('usr').optional(),
    username: textSchema(100).optional(),
    email: textSchema(254).optional(),
    phone: textSchema(32).optional(),
    role: z.enum(MEMBERSHIP_ROLES),
  })
  .refine(
    ({ userId, username, email, phone }) =>
      [userId, username, email, phone].filter((name) => name !== undefined).length === 1,
    'name exactly one of userId, username, email and phone',
  )
  .meta({ id: 'SaveMember' });
export type SaveMemberRequest = z.infer<typeof saveMemberSchema>;

/** Of a person who is invited: only the name that he was invited by. */
export const memberSchema = z
  .object({
    merchantId: z.string(),
    userId: z.string(),
    role: z.enum(MEMBERSHIP_ROLES),
    status: membershipStatusField,
    username: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    name: z.string().nullable(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Member' });
export type MemberView = z.infer<typeof memberSchema>;
export const membersSchema = z.object({ data: z.array(memberSchema) }).meta({ id: 'Members' });

/** What the person sees: GET /me/memberships. */
export const membershipSchema = z
  .object({
    merchantId: z.string(),
    merchantName: z.string(),
    role: z.enum(MEMBERSHIP_ROLES),
    status: membershipStatusField,
    createdAt: timeSchema,
  })
  .meta({ id: 'Membership' });
export type MembershipView = z.infer<typeof membershipSchema>;
export const membershipsSchema = z.object({ data: z.array(membershipSchema) }).meta({ id: 'Memberships' });

// Clients

export const clientIdSchema = idSchema('cli');
export const clientSchema = z
  .object({
    clientId: z.string(),
    merchantId: z.string(),
    scopes: z.array(scopeSchema),
    createdAt: timeSchema,
    disabledAt: timeSchema.nullable(),
    previousSecretUntil: timeSchema.nullable().meta({ description: 'Until then the secret before works as well.' }),
  })
  .meta({ id: 'OAuthClient' });
export type ClientView = z.infer<typeof clientSchema>;
export const clientsSchema = z.object({ data: z.array(clientSchema) }).meta({ id: 'OAuthClients' });

/** POST /merchants/{merchantId}/clients/{clientId}/secret/rotate. */
export const rotateSecretSchema = z.strictObject({ overlapSeconds: overlapField }).meta({ id: 'RotateSecret' });
export const rotatedSecretSchema = clientSchema
  .extend({ clientSecret: z.string().meta({ description: SHOWN_ONCE }) })
  .meta({ id: 'RotatedSecret' });

// API keys

/** An extension grant (RFC 6749 §4.5): the gateway takes an API key for an access token. */
export const API_KEY_GRANT = 'urn:payflow:params:oauth:grant-type:api-key';
/** `sk_test_` and 256 random bits. */
export const API_KEY = /^sk_test_[A-Za-z0-9_-]{43}$/;

export const apiKeyIdSchema = idSchema('apk');

/** POST /merchants/{merchantId}/api-keys. Without `scopes`: all that the caller may hand on. */
export const createApiKeySchema = z
  .strictObject({ name: textSchema(100), scopes: scopesField.optional(), expiresAt: timeSchema.optional() })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKeyRequest = z.infer<typeof createApiKeySchema>;

export const apiKeySchema = z
  .object({
    apiKeyId: z.string(),
    merchantId: z.string(),
    clientId: z.string().meta({ description: 'In whose name the key acts. It stays when the key is rolled.' }),
    name: z.string(),
    hint: z.string().meta({ description: 'The last four characters of the key.' }),
    scopes: z.array(scopeSchema),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
    lastUsedAt: timeSchema.nullable().meta({ description: 'To the minute.' }),
    revokedAt: timeSchema.nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof apiKeySchema>;
export const apiKeysSchema = z.object({ data: z.array(apiKeySchema) }).meta({ id: 'ApiKeys' });

export const createdApiKeySchema = apiKeySchema
  .extend({ apiKey: z.string().meta({ description: SHOWN_ONCE }) })
  .meta({ id: 'CreatedApiKey' });

/** POST /merchants/{merchantId}/api-keys/{apiKeyId}/roll. */
export const rollApiKeySchema = z.strictObject({ overlapSeconds: overlapField }).meta({ id: 'RollApiKey' });

// Publishable keys

export const publishableKeySchema = z
  .object({
    publishableKey: z.string(),
    merchantId: z.string(),
    createdAt: timeSchema,
    disabledAt: timeSchema.nullable(),
  })
  .meta({ id: 'PublishableKey' });
export type PublishableKeyView = z.infer<typeof publishableKeySchema>;
export const publishableKeysSchema = z.object({ data: z.array(publishableKeySchema) }).meta({ id: 'PublishableKeys' });
