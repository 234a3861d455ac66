import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';

import { ConfigError, type HttpConfig } from './config.js';

export type TlsFiles = Pick<HttpConfig, 'TLS_CERT_FILE' | 'TLS_KEY_FILE'>;

/**
 * How to serve HTTPS, or undefined to serve plain HTTP. Read once, at the start: a renewed certificate needs a restart.
 *
 * @throws ConfigError when a file is missing, or one is named without the other
 */
export const tlsOptionsOf = ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }: TlsFiles): ServerOptions | undefined => {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new ConfigError('TLS_CERT_FILE and TLS_KEY_FILE belong together: set both, or neither');
  // RFC 9325 §3.1.1: nothing older than TLS 1.2.
  return { cert: contentOf('TLS_CERT_FILE', cert), key: contentOf('TLS_KEY_FILE', key), minVersion: 'TLSv1.2' };
};

const contentOf = (variable: string, file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError(`${variable}: the file ${file} cannot be read`, { cause });
  }
};
