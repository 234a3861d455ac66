import { Injectable } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, seal, unseal } from '@payflow/service';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK } from 'jose';

import type { AuthConfig } from '../auth.config.js';
import { currentKey, nextKey, publishedKeys, rotatedRecently } from '../domain/key-schedule.js';
import { activateKey, allKeys, insertKey, lockKeys, retireKey, type StoredSigningKey } from '../store/signing-keys.js';

export interface Signer {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

export interface Rotation {
  readonly current: string;
  readonly next: string;
  readonly retiring: { readonly kid: string; readonly until: Date };
}

export const SIGNING_ALGORITHM = 'ES256';

/** Over the token's own life: an instance beside us may sign with the old key until its cache ends, and clocks differ. */
const RETIRE_MARGIN_MS = 120_000;

/**
 * The keys that sign access tokens. They live in the database, so that instances share them. One key always waits,
 * published but unused: a rotation promotes it and makes the next (docs/adr/0009).
 */
@Injectable()
export class SigningKeys {
  private cached: { readonly signer: Signer; readonly until: number } | undefined;

  constructor(
    private readonly database: Database,
    @InjectConfig()
    private readonly config: Pick<
      AuthConfig,
      'SIGNING_KEY_ENCRYPTION_KEY' | 'SIGNING_KEY_CACHE_MS' | 'ACCESS_TOKEN_SECONDS'
    >,
  ) {}

  /** At the start: the first installation makes its first two keys, and a wrong encryption key is found out now. */
  async ensure(): Promise<void> {
    await this.database.transaction(async (tx) => {
      await lockKeys(tx);
      const keys = await allKeys(tx);
      if (!currentKey(keys)) await insertKey(tx, { ...(await this.generate()), activeFrom: new Date() });
      if (!nextKey(keys)) await insertKey(tx, await this.generate());
    });
    await this.signer();
  }

  /** The key that signs now. */
  async signer(): Promise<Signer> {
    const now = Date.now();
    if (this.cached && this.cached.until > now) return this.cached.signer;
    const key = currentKey(await allKeys(this.database));
    if (!key) throw new Error('invariant: there is always a current signing key');
    const signer = this.cached?.signer.kid === key.kid ? this.cached.signer : await this.open(key);
    this.cached = { signer, until: now + this.config.SIGNING_KEY_CACHE_MS };
    return signer;
  }

  /** RFC 7517. Read each time: a verifier that met a kid it does not know must find it here. */
  async published(): Promise<JSONWebKeySet> {
    return { keys: publishedKeys(await allKeys(this.database), new Date()).map((key) => key.publicJwk) };
  }

  /**
   * The waiting key signs from now on; the one that signed stays published until the last of its tokens has expired.
   * Call {@link forget} after the commit.
   *
   * @returns undefined when the last rotation was a moment ago
   */
  async rotate(tx: Tx): Promise<Rotation | undefined> {
    await lockKeys(tx);
    const keys = await allKeys(tx);
    const [current, next] = [currentKey(keys), nextKey(keys)];
    if (!current || !next) throw new Error('invariant: there are always a current and a next signing key');
    const now = new Date();
    if (rotatedRecently(keys, now)) return undefined;
    const until = new Date(now.getTime() + this.config.ACCESS_TOKEN_SECONDS * 1_000 + RETIRE_MARGIN_MS);
    const waiting = await this.generate();
    await retireKey(tx, current.kid, until);
    await activateKey(tx, next.kid, now);
    await insertKey(tx, waiting);
    return { current: next.kid, next: waiting.kid, retiring: { kid: current.kid, until } };
  }

  /** The next token is signed with what the database then says. */
  forget(): void {
    this.cached = undefined;
  }

  private async generate(): Promise<StoredSigningKey> {
    const pair = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
    const kid = newId('key');
    const publicJwk: JWK = { ...(await exportJWK(pair.publicKey)), kid, alg: SIGNING_ALGORITHM, use: 'sig' };
    const privateJwk = JSON.stringify(await exportJWK(pair.privateKey));
    return {
      kid,
      publicJwk,
      privateKeySealed: seal(privateJwk, this.config.SIGNING_KEY_ENCRYPTION_KEY, placeOf(kid)),
      activeFrom: null,
      retireAt: null,
    };
  }

  private async open(key: StoredSigningKey): Promise<Signer> {
    const jwk = JSON.parse(
      unseal(key.privateKeySealed, this.config.SIGNING_KEY_ENCRYPTION_KEY, placeOf(key.kid)),
    ) as JWK;
    const privateKey = await importJWK(jwk, SIGNING_ALGORITHM);
    if (privateKey instanceof Uint8Array) throw new Error('invariant: a signing key is asymmetric');
    return { kid: key.kid, privateKey };
  }
}

const placeOf = (kid: string): string => `signing-key:${kid}`;
