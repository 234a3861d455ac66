import { type DestinationStream, type Logger as PinoInstance, pino } from 'pino';

import { maskCardNumbers } from './card-mask.js';
import type { HttpConfig } from './config.js';
import { currentContext } from './context.js';
import type { ServiceName } from './service-name.js';

interface LogMethod {
  (message: string): void;
  (fields: object, message?: string): void;
}

/** The service's log: JSON lines that carry the ids of the context they were written in. Inject it by this class. */
export abstract class Logger {
  abstract readonly trace: LogMethod;
  abstract readonly debug: LogMethod;
  abstract readonly info: LogMethod;
  abstract readonly warn: LogMethod;
  abstract readonly error: LogMethod;
  abstract readonly fatal: LogMethod;
}

/** Paths that hold secrets if someone logs a request, a config or a token by mistake. */
const SECRET_FIELDS = [
  'authorization',
  'password',
  'secret',
  'clientSecret',
  'client_secret',
  'accessToken',
  'access_token',
  'token',
  'cvc',
  'number',
  'cookie',
];
const REDACTED_PATHS = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** Writes to standard output unless told otherwise. Synchronous, so that the last line before a crash is there. */
export const createLogger = (
  service: ServiceName,
  config: Pick<HttpConfig, 'LOG_LEVEL'>,
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): PinoInstance =>
  pino(
    {
      level: config.LOG_LEVEL,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err },
      mixin: () => ({ ...currentContext() }),
      mixinMergeStrategy: (fields, context) => ({ ...context, ...fields }),
    },
    { write: (line: string) => destination.write(maskCardNumbers(line)) },
  );
