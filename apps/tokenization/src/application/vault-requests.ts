import { createHmac } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  Idempotency,
  type IdentifiedRequest,
  InjectConfig,
  PROBLEM_MEDIA_TYPE,
  type RequestIdentity,
  type StoredAnswer,
} from '@payflow/service';
import { z } from 'zod';

import { type SealContext, sealText, unsealText } from '../crypto/card-seal.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { type DataKey, KeyReplacedError, KeyRing } from './key-ring.js';

/** Longer than one transaction of the vault can take. */
const LEASE_MS = 20_000;

/** An answer as it is stored: it may hold the card holder's name. */
const sealedAnswerSchema = z.object({ keyVersion: z.int(), sealed: z.base64() });

/**
 * Idempotency with nothing of a card in its table: the request is compared by an HMAC, since a plain hash of a card number
 * is found by trying all of them, and the stored answer is sealed.
 */
@Injectable()
export class VaultRequests {
  private readonly idempotency: Idempotency;

  constructor(
    private readonly database: Database,
    private readonly keyRing: KeyRing,
    idempotency: Idempotency,
    @InjectConfig() config: TokenizationConfig,
  ) {
    this.idempotency = idempotency.withHash((content) =>
      createHmac('sha256', config.VAULT_FINGERPRINT_KEY).update('request\0').update(content).digest(),
    );
  }

  /** Runs the work once for the request's key, in one transaction with its answer. */
  async runOnce(
    request: IdentifiedRequest,
    tokenId: string,
    work: (tx: Tx, tokenId: string, current: DataKey) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify(request);
    const options = { resourceId: tokenId, leaseMs: LEASE_MS, moneyMoving: false };
    const run = async (): Promise<StoredAnswer> =>
      await this.idempotency.runOnce(
        this.database,
        identity,
        options,
        async (tx, resourceId) =>
          await this.keyRing.sealingUnder(tx, async (current) => {
            const answer = await work(tx, resourceId, current);
            // Without a key nothing is stored, so there is nothing to seal.
            return identity.key === undefined
              ? answer
              : { ...answer, body: sealedAnswer(answer.body, current, identity) };
          }),
      );
    const stored = await run().catch(async (error: unknown) => {
      // Once: rotations are years apart.
      if (error instanceof KeyReplacedError) return await run();
      throw error;
    });
    return identity.key === undefined ? stored : await this.unsealed(stored, identity);
  }

  private async unsealed(stored: StoredAnswer, identity: RequestIdentity): Promise<StoredAnswer> {
    if (stored.headers['content-type'] === PROBLEM_MEDIA_TYPE) return stored;
    const { keyVersion, sealed } = sealedAnswerSchema.parse(JSON.parse(stored.bodyText));
    const key = await this.keyRing.key(this.database, keyVersion);
    const bodyText = unsealText(key, Buffer.from(sealed, 'base64'), contextOf(identity, keyVersion));
    return { ...stored, bodyText };
  }
}

const sealedAnswer = (
  body: unknown,
  { key, version }: DataKey,
  identity: RequestIdentity,
): z.infer<typeof sealedAnswerSchema> => ({
  keyVersion: version,
  sealed: sealText(key, JSON.stringify(body), contextOf(identity, version)).toString('base64'),
});

/** In place of a token's id: the request the answer belongs to. */
const contextOf = ({ scope, key }: RequestIdentity, keyVersion: number): SealContext => ({
  tokenId: `${scope} ${key ?? ''}`,
  merchantId: null,
  userId: null,
  field: 'answer',
  keyVersion,
});
