import { createPublicKey, type KeyObject } from 'node:crypto';

import { jwksSchema } from '@payflow/contracts';

const FETCH_TIMEOUT_MS = 3_000;
/** An unknown kid asks the issuer at most this often, so that made-up kids cannot be used to flood it. */
const REFRESH_INTERVAL_MS_MIN = 1_000;
/** Keys that the issuer withdrew are dropped within this time. */
const KEYS_AGE_MS_MAX = 300_000;
const KEYS_MAX = 20;

/** The key set cannot be fetched and is needed: the token is neither valid nor invalid. */
export class SigningKeysUnavailableError extends Error {
  override readonly name = 'SigningKeysUnavailableError';
}

/** The issuer's public keys (RFC 7517) by `kid`, fetched when an unknown one turns up and again after five minutes. */
export class SigningKeys {
  private keys: ReadonlyMap<string, KeyObject> = new Map();
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private fetching: Promise<void> | undefined;

  constructor(private readonly url: string) {}

  /** The key, or undefined when the issuer does not know it. @throws SigningKeysUnavailableError */
  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.keys.get(kid);
    if (known !== undefined && performance.now() - this.fetchedAt < KEYS_AGE_MS_MAX) return known;
    try {
      await this.refresh();
    } catch (cause) {
      // An issuer that is down does not invalidate the keys it published.
      if (known !== undefined) return known;
      throw new SigningKeysUnavailableError('the signing keys cannot be fetched', { cause });
    }
    return this.keys.get(kid);
  }

  private async refresh(): Promise<void> {
    if (this.fetching === undefined) {
      if (performance.now() - this.triedAt < REFRESH_INTERVAL_MS_MIN && this.fetchedAt >= this.triedAt) return;
      this.triedAt = performance.now();
      this.fetching = this.fetchKeys().finally(() => {
        this.fetching = undefined;
      });
    }
    await this.fetching;
  }

  private async fetchKeys(): Promise<void> {
    const response = await fetch(this.url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), redirect: 'error' });
    if (!response.ok) throw new Error(`the issuer answered ${response.status}`);
    const { keys } = jwksSchema.parse(await response.json());
    this.keys = new Map(
      keys
        .filter((key) => key.kty === 'EC' && key.alg === 'ES256')
        .slice(0, KEYS_MAX)
        .map((key) => [key.kid, createPublicKey({ key, format: 'jwk' })]),
    );
    this.fetchedAt = performance.now();
  }
}
