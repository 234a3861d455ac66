import { z } from 'zod';

/** The environment does not hold what the service needs. The message names each wrong variable, never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const httpUrl = z
  .url({ protocol: /^https?$/ })
  .transform((url) => url.replace(/\/+$/, ''))
  .meta({ unit: 'URL' });
const postgresUrl = z.url({ protocol: /^postgres(ql)?$/ });

/** Environment variables are text: `true` and `false`, nothing else. */
export const booleanField = (fallback: boolean): z.ZodType<boolean, 'true' | 'false' | undefined> =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');

/** An address of another service. */
export const addressField = httpUrl;

/** JSON in an environment variable, checked against its schema. */
export const jsonField = <Schema extends z.ZodType>(
  schema: Schema,
): z.ZodPipe<z.ZodPipe<z.ZodString, z.ZodTransform<unknown, string>>, Schema> =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const KEY_BYTES = 32;

/** A key of 256 bits in base 64. */
export const keyField = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === KEY_BYTES, `must be ${KEY_BYTES} bytes in base64`);

const DAY_SECONDS = 86_400;
const DELAY_SECONDS_MAX = 30 * DAY_SECONDS;

/** Seconds, separated by commas: how long is waited before each attempt. */
export const delaysField = z
  .string()
  .transform((list) => list.split(',').map(Number))
  .pipe(z.array(z.int().min(1).max(DELAY_SECONDS_MAX)).min(1));

/** Settings of everything that serves HTTP, the gateway included. */
export const httpConfigFields = {
  PORT: z.coerce.number().int().min(0).max(65_535).optional().meta({ description: 'Port to listen on.' }),
  HOST: z.string().min(1).default('127.0.0.1').meta({ description: 'Address to listen on.' }),
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .meta({ description: 'Where the service runs.' }),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ description: 'The least severe lines that are written.' }),
  DEMO_MODE: booleanField(false).meta({ description: 'Fixed demo parties and developer routes.' }),
  AUTH_URL: httpUrl
    .default('http://127.0.0.1:8081')
    .meta({ description: 'The auth service: its JWKS verifies access tokens.' }),
  SERVICE_CLIENT_SECRET: z.string().min(16).meta({
    description:
      'Secret of the OAuth2 client `svc_<service>`, with which the service asks auth whose tokens were revoked, and calls others.',
  }),
  GATEWAY_URL: httpUrl
    .default('http://localhost:8080')
    .meta({ description: 'Public address of the gateway; problem documents point below it.' }),
  TLS_CERT_FILE: z
    .string()
    .optional()
    .meta({ description: 'PEM file with the certificate chain. With TLS_KEY_FILE: the port speaks HTTPS.' }),
  TLS_KEY_FILE: z.string().optional().meta({ description: 'PEM file with the private key of the certificate.' }),
  ISSUER: z.string().min(1).optional().meta({ description: 'When set, the `iss` every access token must have.' }),
  REQUEST_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(300_000)
    .default(30_000)
    .meta({ description: 'How long a request may take to arrive, from its first byte to its last, in milliseconds.' }),
  SHUTDOWN_GRACE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(300_000)
    .default(25_000)
    .meta({ description: 'How long a stop may take in all, in milliseconds.' }),
  SHUTDOWN_UNREADY_MS: z.coerce.number().int().min(0).max(120_000).default(200).meta({
    description: 'How long a stopping service still serves while it reports not ready: one or two probe periods.',
  }),
};

/** Settings of a service with a database of its own. */
export const databaseConfigFields = {
  DATABASE_URL: postgresUrl.meta({ description: 'The service database, as its runtime role.' }),
  MIGRATION_DATABASE_URL: postgresUrl
    .optional()
    .meta({ description: 'The same database as its owner. When set, missing migrations are applied at the start.' }),
  DATABASE_POOL_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(10)
    .meta({ description: 'Connections to the database at most, per process.' }),
  IDEMPOTENCY_RETENTION_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .max(31_536_000)
    .default(86_400)
    .meta({ description: 'How long an Idempotency-Key and its answer are kept, in seconds.' }),
  IDEMPOTENCY_CLEANUP_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(86_400_000)
    .default(60_000)
    .meta({ description: 'How often expired keys are deleted, in milliseconds.' }),
};

/** Settings of a service that produces or consumes events. */
export const kafkaConfigFields = {
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .transform((list) => list.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d{1,5}$/, 'is a list of host:port')))
    .meta({ description: 'Kafka brokers, host:port, separated by commas.' }),
};

/** What every service has that keeps data and takes part in the events. */
export const baseConfigFields = {
  ...httpConfigFields,
  ...databaseConfigFields,
  ...kafkaConfigFields,
};

const httpConfigSchema = z.object(httpConfigFields);
export type HttpConfig = z.infer<typeof httpConfigSchema>;

const databaseConfigSchema = z.object(databaseConfigFields);
export type DatabaseConfig = z.infer<typeof databaseConfigSchema>;

/** Where settings come from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and checks the settings; an empty variable counts as unset. */
export const loadConfig = <Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment = process.env,
): z.output<Schema> => {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  // Zod's messages do not repeat the value, which may be a secret.
  const lines = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`the environment is not usable:\n${lines.join('\n')}`);
};

export const loadHttpConfig = (environment?: Environment): HttpConfig => loadConfig(httpConfigSchema, environment);
export const loadDatabaseConfig = (environment?: Environment): DatabaseConfig =>
  loadConfig(databaseConfigSchema, environment);
