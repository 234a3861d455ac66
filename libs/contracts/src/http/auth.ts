import { z } from 'zod';

import { ROLES, type Role } from '../access.js';
import { textSchema } from './shared-fields.js';

/** POST /oauth/token (RFC 6749 §4.4), form-encoded or JSON; the client may also use HTTP Basic. */
export const tokenRequestSchema = z
  .strictObject({
    grant_type: z.string().max(100),
    client_id: z.string().max(100).optional(),
    client_secret: z.string().max(200).optional(),
    scope: z
      .string()
      .max(1000)
      .regex(/^[\x20-\x7e]*$/)
      .optional(),
  })
  .meta({ id: 'OAuthTokenRequest' });

/** RFC 6749 §5.1. */
export const tokenAnswerSchema = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int(), scope: z.string() })
  .meta({ id: 'OAuthToken' });
export type TokenAnswer = z.infer<typeof tokenAnswerSchema>;

/** POST /auth/login: one of username, email or phone, and the password. */
export const loginSchema = z
  .strictObject({
    username: textSchema(100).optional(),
    email: textSchema(254).optional(),
    phone: textSchema(32).optional(),
    password: z.string().min(1).max(1000),
  })
  .refine(
    (login) => [login.username, login.email, login.phone].filter((value) => value !== undefined).length === 1,
    'name exactly one of username, email and phone',
  )
  .meta({ id: 'Login' });
export type LoginRequest = z.infer<typeof loginSchema>;

export const loginAnswerSchema = z
  .object({
    token: z.string(),
    accessToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int(),
    userId: z.string(),
  })
  .meta({ id: 'LoginAnswer' });

export const meSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['user', 'client', 'service']),
    userId: z.string().optional(),
    username: z.string().nullable().optional(),
    email: z.string().nullable().optional(),
    phone: z.string().nullable().optional(),
    name: z.string().nullable().optional(),
    status: z.enum(['ACTIVE', 'BLOCKED']).optional(),
    merchantId: z.string().optional(),
    roles: z.array(z.enum(Object.keys(ROLES) as [Role, ...Role[]])),
    scopes: z.array(z.string()),
  })
  .meta({ id: 'Me' });

/** RFC 7517 key set. */
export const jwksSchema = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })) })
  .meta({ id: 'Jwks' });
