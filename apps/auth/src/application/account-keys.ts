import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@payflow/service';

import type { AuthConfig } from '../auth.config.js';
import { derivedKey, keyedHash } from '../credentials/keyed-hash.js';

/** The keys of accounts, each from the one setting. */
@Injectable()
export class AccountKeys {
  /** From a refresh token to the one that takes its place. */
  readonly refresh: Buffer;
  /** Seals TOTP secrets, and stored answers that hold something secret. */
  readonly sealing: Buffer;
  private readonly codes: Buffer;
  private readonly requests: Buffer;

  constructor(@InjectConfig() config: Pick<AuthConfig, 'SIGNING_KEY_ENCRYPTION_KEY'>) {
    const key = config.SIGNING_KEY_ENCRYPTION_KEY;
    this.refresh = derivedKey(key, 'refresh-token-successor');
    this.sealing = derivedKey(key, 'account-secrets');
    this.codes = derivedKey(key, 'account-codes');
    this.requests = derivedKey(key, 'request-hashes');
  }

  /** Of a code: six digits, or a recovery code. */
  codeHash(...parts: readonly string[]): Buffer {
    return keyedHash(this.codes, ...parts);
  }

  /** Of a request that holds a password: what an idempotency row keeps of it must not be a fast hash of one. */
  requestHash(content: string): Buffer {
    return keyedHash(this.requests, content);
  }
}
