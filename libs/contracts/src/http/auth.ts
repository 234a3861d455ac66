import { z } from 'zod';

import { ROLES, type Role, type Scope, SCOPES } from '../access.js';
import { textSchema, timeSchema } from './shared-fields.js';

/**
 * POST /oauth/token (RFC 6749 §4.4), form-encoded or JSON; the client may also use HTTP Basic. Members it does not know
 * are ignored, as §3.2 asks.
 */
export const tokenRequestSchema = z
  .object({
    grant_type: z.string().max(100),
    client_id: z.string().max(100).optional(),
    client_secret: z.string().max(200).optional(),
    publishable_key: z.string().max(100).optional(),
    api_key: z.string().max(100).optional(),
    refresh_token: z.string().max(200).optional(),
    scope: z
      .string()
      .max(1000)
      .regex(/^[\x20-\x7e]*$/)
      .optional(),
  })
  .meta({ id: 'OAuthTokenRequest' });

/** An extension grant (RFC 6749 §4.5): what a page that everybody can read may do, for a short time. */
export const PUBLISHABLE_KEY_GRANT = 'urn:payflow:params:oauth:grant-type:publishable-key';
/** `pk_test_…`: stands in the merchant's page, tells who he is, and proves nothing. */
export const PUBLISHABLE_KEY = /^pk_test_[A-Za-z0-9_-]{32}$/;

/** RFC 6749 §5.1. */
export const tokenAnswerSchema = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    refresh_token: z.string().optional(),
    scope: z.string(),
  })
  .meta({ id: 'OAuthToken' });
export type TokenAnswer = z.infer<typeof tokenAnswerSchema>;

/** RFC 7517 key set. */
export const jwksSchema = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })) })
  .meta({ id: 'Jwks' });

const scopeSchema = z.enum(Object.keys(SCOPES) as [Scope, ...Scope[]]);
const roleSchema = z.enum(Object.keys(ROLES) as [Role, ...Role[]]);

/** POST /merchants. */
export const createMerchantSchema = z.strictObject({ name: textSchema(200) }).meta({ id: 'CreateMerchant' });

/** A party of its own: payments, entries and balances carry its id. */
export const merchantSchema = z
  .object({
    merchantId: z.string(),
    name: z.string(),
    status: z.enum(['ACTIVE', 'BLOCKED']),
    publishableKey: z.string().nullable().meta({
      description: "For the merchant's page: with a payment's client secret it confirms that payment. Not a secret.",
    }),
    createdAt: timeSchema,
  })
  .meta({ id: 'Merchant' });

/** POST /merchants/{merchantId}/clients. Without `scopes`: all that a merchant may have. */
export const createClientSchema = z
  .strictObject({ scopes: z.array(scopeSchema).min(1).max(50).optional() })
  .meta({ id: 'CreateClient' });

export const createdClientSchema = z
  .object({
    clientId: z.string(),
    clientSecret: z.string().meta({
      description: 'Shown in this answer only, and when the same request is repeated with its Idempotency-Key.',
    }),
    merchantId: z.string(),
    roles: z.array(roleSchema),
    scopes: z.array(scopeSchema),
    createdAt: timeSchema,
  })
  .meta({ id: 'CreatedClient' });

/** POST /auth/keys/rotate: which keys sign now, sign next, and only verify. */
export const keyRotationSchema = z
  .object({ current: z.string(), next: z.string(), retiring: z.object({ kid: z.string(), until: timeSchema }) })
  .meta({ id: 'KeyRotation' });

/** RFC 8414 authorization server metadata, also served as OpenID Connect discovery. */
export const serverMetadataSchema = z
  .looseObject({
    issuer: z.string(),
    token_endpoint: z.string(),
    jwks_uri: z.string(),
    grant_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
  })
  .meta({ id: 'AuthorizationServerMetadata' });
