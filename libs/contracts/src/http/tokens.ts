import { passesLuhn } from '@payflow/kernel';
import { z } from 'zod';

import { metadataSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

/** `tok_…`. Also the fixed demo token `tok_abcdef` that the documents print. */
export const tokenIdSchema = z
  .string()
  .regex(/^tok_[0-9a-z]{6,40}$/, 'must be an id that begins with tok_')
  .meta({ examples: ['tok_abcdef'] });

/**
 * A card on its way to the vault, and nowhere else. ISO/IEC 7812: 12 to 19 digits with a Luhn check digit. Whether the
 * expiry has passed is checked by the vault, which knows the time and the test cards.
 */
export const cardSchema = z
  .strictObject({
    number: z
      .string()
      .regex(/^\d{12,19}$/, { error: 'must be 12 to 19 digits', abort: true })
      .refine(passesLuhn, { message: 'fails the Luhn check', params: { code: 'luhn' } }),
    expMonth: z.int().min(1).max(12),
    expYear: z.int().min(2000).max(2099),
    cvc: z
      .string()
      .regex(/^\d{3,4}$/, 'must be 3 or 4 digits')
      .optional()
      .meta({ description: 'Never stored.' }),
    holderName: textSchema(100).optional(),
  })
  .meta({ id: 'Card' });
export type Card = z.infer<typeof cardSchema>;

export const TOKEN_LIFETIME_SECONDS_MAX = 5 * 365 * 24 * 3600;

/** POST /tokens. A token belongs to the caller: his merchant, and `userId` where named. */
export const createTokenSchema = z
  .strictObject({
    card: cardSchema,
    reusable: z.boolean().default(false).meta({ description: 'False: one authorization only.' }),
    userId: textSchema(64).optional(),
    merchantId: z
      .string()
      .regex(/^mer_[0-9a-z]{26}$/)
      .optional()
      .meta({ description: 'Staff and customers: the merchant that may use it.' }),
    expiresInSeconds: z.int().min(1).max(TOKEN_LIFETIME_SECONDS_MAX).optional(),
    metadata: metadataSchema.optional(),
  })
  .meta({ id: 'CreateToken' });
export type CreateTokenRequest = z.infer<typeof createTokenSchema>;

export const updateTokenSchema = z
  .strictObject({
    expMonth: z.int().min(1).max(12).optional(),
    expYear: z.int().min(2000).max(2099).optional(),
    holderName: textSchema(100).optional(),
    metadata: metadataSchema.optional(),
  })
  .meta({ id: 'UpdateToken' });
export type UpdateTokenRequest = z.infer<typeof updateTokenSchema>;

export const TOKEN_STATUSES = ['ACTIVE', 'USED', 'EXPIRED', 'DELETED'] as const;

/** What anyone but an acquirer may know of a card. */
export const tokenSchema = z
  .object({
    tokenId: tokenIdSchema,
    status: z.enum(TOKEN_STATUSES),
    brand: z.string().meta({ examples: ['visa'] }),
    last4: z.string(),
    bin: z
      .string()
      .meta({ description: 'The first six digits (ISO/IEC 7812 issuer identification), allowed by PCI DSS 3.4.1.' }),
    expMonth: z.int(),
    expYear: z.int(),
    fingerprint: z.string().meta({ description: 'Equal for equal card numbers of this installation; not reversible.' }),
    holderName: z.string().nullable(),
    reusable: z.boolean(),
    merchantId: z.string().nullable(),
    userId: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
  })
  .meta({ id: 'Token' });
export type TokenResponse = z.infer<typeof tokenSchema>;

export const listTokensQuerySchema = z.strictObject({ ...pageQueryFields, userId: textSchema(64).optional() });
export const tokenPageSchema = pageOf(tokenSchema).meta({ id: 'TokenPage' });

/**
 * POST /internal/forward (service to service): fill the card into a request and send it to an allow-listed acquirer.
 * Placeholders in string values below `body.card`, and nowhere else in the body: `{{card.number}}`, `{{card.cvc}}`, `{{card.holderName}}`; the values
 * `"{{card.expMonth}}"` and `"{{card.expYear}}"` become integers. With `encoding: form` the members of `body` are the
 * fields of a form, all of them text, and placeholders are filled in where a segment of the field's name is `card`:
 * `payment_method_data[card][number]`. A single-use token belongs to the first `paymentId` that forwards it; the
 * payment's other attempts may forward it too.
 */
export const forwardRequestSchema = z
  .strictObject({
    tokenId: tokenIdSchema,
    paymentId: z.string().regex(/^pay_[0-9a-z]{26}$/),
    attemptId: z.string().regex(/^att_[0-9a-z]{26}$/),
    merchantId: z.string().regex(/^mer_[0-9a-z]{26}$/),
    userId: z.string().optional(),
    acquirer: z.string().regex(/^[a-z0-9-]{1,40}$/),
    path: z.string().regex(/^\/[\w/-]{1,200}$/),
    headers: z.record(z.string().regex(/^[a-z0-9-]{1,60}$/), z.string().max(500)).default({}),
    encoding: z.enum(['json', 'form']).default('json'),
    body: z.record(z.string(), z.unknown()),
    acceptedAt: timeSchema.optional().meta({
      description: 'When the payment took the token, where it had to wait since: the token was good then.',
    }),
    keepCvc: z.boolean().default(false).meta({
      description: 'Another acquirer may be asked next: the CVC is forgotten a minute after the answer, not with it.',
    }),
    timeoutMs: z.int().min(1).max(60_000),
  })
  .refine(
    ({ encoding, body }) => encoding === 'json' || Object.values(body).every((field) => typeof field === 'string'),
    {
      path: ['body'],
      message: 'the fields of a form are text',
    },
  )
  .meta({ id: 'ForwardRequest' });
export type ForwardRequest = z.infer<typeof forwardRequestSchema>;

/**
 * The acquirer's answer without the card; or that no answer came. `not_sent`: certainly never reached the acquirer.
 * `no_answer`: it may have had an effect, so nobody may assume either way.
 */
export const forwardResponseSchema = z
  .discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('answered'), status: z.int(), body: z.unknown() }),
    z.object({ outcome: z.literal('not_sent'), reason: z.string() }),
    z.object({ outcome: z.literal('no_answer'), reason: z.string() }),
  ])
  .meta({ id: 'ForwardResponse' });
export type ForwardResponse = z.infer<typeof forwardResponseSchema>;

/** GET /internal/tokens/{id}?merchantId=&userId= (service to service): whether a payment of this merchant may use it. */
export const tokenUsabilitySchema = z
  .discriminatedUnion('usable', [
    z.object({ usable: z.literal(true), token: tokenSchema }),
    z.object({ usable: z.literal(false), reason: z.enum(['unknown', 'used', 'expired', 'deleted', 'card_expired']) }),
  ])
  .meta({ id: 'TokenUsability' });
export type TokenUsability = z.infer<typeof tokenUsabilitySchema>;

/** Of a token that the gateway had made a moment ago: what the payment service would have to ask the vault for. */
export const swappedCardSchema = tokenSchema.pick({
  tokenId: true,
  brand: true,
  last4: true,
  bin: true,
  fingerprint: true,
  merchantId: true,
  userId: true,
});
export type SwappedCard = z.infer<typeof swappedCardSchema>;

/** As the value of a header: base64url, because a user's id may have letters that a header must not. */
export const swappedCardHeader = ({
  tokenId,
  brand,
  last4,
  bin,
  fingerprint,
  merchantId,
  userId,
}: SwappedCard): string =>
  Buffer.from(JSON.stringify({ tokenId, brand, last4, bin, fingerprint, merchantId, userId })).toString('base64url');

/** Undefined for what was not written by `swappedCardHeader`. */
export const swappedCardIn = (header: string): SwappedCard | undefined => {
  try {
    return swappedCardSchema.safeParse(JSON.parse(Buffer.from(header, 'base64url').toString())).data;
  } catch {
    return undefined;
  }
};

/** GET /internal/vault/keys, POST /internal/vault/keys/rotate: the data keys, never their bytes, and how far a rotation is. */
export const vaultKeysSchema = z
  .object({
    keys: z.array(
      z.object({
        version: z.int(),
        createdAt: timeSchema,
        retiredAt: timeSchema.nullable(),
        tokens: z.int().meta({ description: 'Tokens whose card is encrypted under this key.' }),
      }),
    ),
    rotation: z
      .object({
        toVersion: z.int(),
        reencrypted: z.int(),
        startedAt: timeSchema,
        finishedAt: timeSchema.nullable(),
      })
      .nullable()
      .meta({ description: 'The latest rotation.' }),
  })
  .meta({ id: 'VaultKeys' });
export type VaultKeysResponse = z.infer<typeof vaultKeysSchema>;
