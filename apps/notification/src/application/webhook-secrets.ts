import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, seal, unseal } from '@payflow/service';
import { LRUCache } from 'lru-cache';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

import type { NotificationConfig } from '../notification.config.js';
import { type SecretRow, signingSecrets } from '../store/secrets.js';

const SECRET_BYTES = 32;
const MS_PER_SECOND = 1_000;
/** Opened secrets in memory. */
const KEYS_MAX = 5_000;

/** What is sealed: both keys of a secret. */
const keysSchema = z.strictObject({ secret: z.string(), d: z.string(), x: z.string() });

interface SigningKeys {
  readonly hmac: Webhook;
  readonly ed25519: KeyObject;
}

export interface MadeSecret {
  /** `whsec_…`: shown once. */
  readonly secret: string;
  /** `whpk_…` */
  readonly publicKey: string;
  readonly row: SecretRow;
}

/**
 * Secrets of endpoints and what is signed with them, by Standard Webhooks 1.0: `v1` is an HMAC-SHA256 under the secret,
 * `v1a` an Ed25519 signature that the public key verifies. A delivery carries those of every secret that signs.
 */
@Injectable()
export class WebhookSecrets {
  private readonly key: Buffer;
  private readonly opened = new LRUCache<string, SigningKeys>({ max: KEYS_MAX });

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    @InjectConfig() config: Pick<NotificationConfig, 'WEBHOOK_SECRET_KEY'>,
  ) {
    this.key = config.WEBHOOK_SECRET_KEY;
  }

  make(endpointId: string, version: number): MadeSecret {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const keys = keysSchema.parse({ secret, d, x });
    const publicKey = `whpk_${Buffer.from(keys.x, 'base64url').toString('base64')}`;
    const sealed = seal(JSON.stringify(keys), this.key, placeOf(endpointId, version));
    return { secret, publicKey, row: { endpointId, version, sealed, publicKey } };
  }

  /**
   * What signs now for each of these endpoints; of one that was deleted, nothing does. One whose newest secret does not open
   * has no signature that its merchant may rely on, and waits; of the former ones those sign that open.
   */
  async signersOf(endpointIds: readonly string[]): Promise<ReadonlyMap<string, Signer | 'unreadable'>> {
    const byEndpoint = new Map<string, (SigningKeys | undefined)[]>();
    for (const row of await signingSecrets(this.database, endpointIds))
      byEndpoint.set(row.endpointId, [...(byEndpoint.get(row.endpointId) ?? []), this.opensOrNot(row)]);
    return new Map(
      [...byEndpoint].map(([id, keys]) => [
        id,
        keys[0] === undefined ? 'unreadable' : new Signer(keys.filter((one) => one !== undefined)),
      ]),
    );
  }

  /** An answer that holds a secret, as it may stand in the database. */
  sealAnswer(body: unknown, place: string): { readonly sealed: string } {
    return { sealed: seal(JSON.stringify(body), this.key, place).toString('base64') };
  }

  /** The answer's text. */
  openAnswer(stored: string, place: string): string {
    const { sealed } = z.strictObject({ sealed: z.base64() }).parse(JSON.parse(stored));
    return unseal(Buffer.from(sealed, 'base64'), this.key, place);
  }

  private opensOrNot(row: SecretRow): SigningKeys | undefined {
    try {
      return this.open(row);
    } catch (error) {
      const { endpointId, version } = row;
      this.logger.error({ err: error, endpointId, version }, 'the secret of a webhook endpoint does not open');
      return undefined;
    }
  }

  private open({ endpointId, version, sealed }: SecretRow): SigningKeys {
    const place = placeOf(endpointId, version);
    const known = this.opened.get(place);
    if (known !== undefined) return known;
    const { secret, d, x } = keysSchema.parse(JSON.parse(unseal(sealed, this.key, place)));
    const keys = {
      hmac: new Webhook(secret),
      ed25519: createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } }),
    };
    this.opened.set(place, keys);
    return keys;
  }
}

/** Signs for one endpoint. */
export class Signer {
  constructor(private readonly keys: readonly SigningKeys[]) {}

  /** The headers of a try at this moment. The id is the same at each. */
  headers(webhookId: string, body: string, at: Date): Readonly<Record<string, string>> {
    const seconds = Math.floor(at.getTime() / MS_PER_SECOND);
    const content = Buffer.from(`${webhookId}.${seconds}.${body}`);
    return {
      'webhook-id': webhookId,
      'webhook-timestamp': String(seconds),
      'webhook-signature': this.keys
        .flatMap(({ hmac, ed25519 }) => [
          hmac.sign(webhookId, at, body),
          `v1a,${sign(null, content, ed25519).toString('base64')}`,
        ])
        .join(' '),
    };
  }
}

const placeOf = (endpointId: string, version: number): string => `webhook-secret:${endpointId}:${version}`;
