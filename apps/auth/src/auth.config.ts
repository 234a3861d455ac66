import { PUBLISHABLE_KEY } from '@payflow/contracts';
import { messagingConfigFields } from '@payflow/messaging';
import { baseConfigFields, jsonField, keyField } from '@payflow/service';
import { z } from 'zod';

const secretSchema = z.string().min(16).max(200);

/** Parties that exist in every demo installation; made once by the start script and kept with its data. */
export const demoDataSchema = z.object({
  merchant: z.object({
    merchantId: z.string().regex(/^mer_[0-9a-z]{26}$/),
    clientId: z.string().regex(/^cli_[0-9a-z]{26}$/),
    clientSecret: secretSchema,
    publishableKey: z.string().regex(PUBLISHABLE_KEY),
  }),
  ledgerClient: z.object({ clientId: z.string().regex(/^cli_[0-9a-z]{26}$/), clientSecret: secretSchema }),
  customer: z.object({
    userId: z.string().regex(/^usr_[0-9a-z]{26}$/),
    email: z.email(),
    password: z.string().min(8),
  }),
  admin: z.object({ userId: z.string().regex(/^usr_[0-9a-z]{26}$/), email: z.email(), password: z.string().min(8) }),
});
export type DemoData = z.infer<typeof demoDataSchema>;

export const authConfigSchema = z.object({
  ...baseConfigFields,
  ...messagingConfigFields,
  ISSUER: z.url().meta({ description: 'The `iss` of every token: the public URL of the gateway.' }),
  ACCESS_TOKEN_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(3_600)
    .meta({ description: 'Lifetime of an access token, in seconds.' }),
  REFRESH_TOKEN_SECONDS: z.coerce.number().int().min(60).max(31_536_000).default(2_592_000).meta({
    description: 'Lifetime of a refresh token, in seconds: for so long a session may rest.',
  }),
  SESSION_SECONDS_MAX: z.coerce.number().int().min(60).max(31_536_000).default(7_776_000).meta({
    description: 'Lifetime of a session, in seconds, however often it is refreshed.',
  }),
  SIGNING_KEY_ENCRYPTION_KEY: keyField.meta({
    description:
      'Encrypts the private signing keys and the TOTP secrets in the database, and hashes codes: 32 bytes in base64. ' +
      'Keep it elsewhere.',
  }),
  CODE_SEALING_KEY: keyField.meta({
    description:
      'Encrypts codes on their way to the service that sends mails and messages: 32 bytes in base64, the same there.',
  }),
  SIGNING_KEY_CACHE_MS: z.coerce.number().int().min(0).max(60_000).default(2_000).meta({
    description: 'For how long an instance signs with the key it knows, after another one rotated, in milliseconds.',
  }),
  SERVICE_CLIENTS: jsonField(z.record(z.string().regex(/^svc_[a-z-]{1,40}$/), secretSchema))
    .default({})
    .meta({ description: 'JSON object: client id of each service to its secret.' }),
  DEMO_DATA: jsonField(demoDataSchema)
    .optional()
    .meta({ description: 'JSON: the demo parties, created at the start when DEMO_MODE is true.' }),
  TRUSTED_PROXIES: z
    .string()
    .default('127.0.0.1,::1')
    .transform((list) => list.split(',').map((address) => address.trim()))
    .meta({
      description: "Addresses whose X-Forwarded-For is believed, separated by commas: the gateway's.",
    }),
});
export type AuthConfig = z.infer<typeof authConfigSchema>;
