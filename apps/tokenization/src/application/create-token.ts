import { Injectable } from '@nestjs/common';
import { type CreateTokenRequest, type Principal, testCardOf, TOKEN_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { type OutgoingEvent, Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { entityTag, InjectConfig, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';
import { z } from 'zod';

import { sealText } from '../crypto/card-seal.js';
import { hmacHex } from '../crypto/seal.js';
import { brandOf } from '../domain/brand.js';
import { type Owner, ownerOf } from '../domain/ownership.js';
import { cardExpired, statusOf } from '../domain/token.js';
import { findToken, insertToken, type TokenRow } from '../store/tokens.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { CvcMemory } from './cvc-memory.js';
import type { DataKey } from './key-ring.js';
import { tokenView } from './token-view.js';
import { VaultRequests } from './vault-requests.js';

const createdSchema = z.object({ tokenId: z.string() });

/** POST /tokens */
@Injectable()
export class CreateToken {
  constructor(
    private readonly database: Database,
    private readonly requests: VaultRequests,
    private readonly outbox: Outbox,
    private readonly cvcMemory: CvcMemory,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  /** @throws Problem insufficient_scope | merchant_required | merchant_not_found | user_not_found | validation_failed (an expired card) */
  async run(caller: Principal, request: CreateTokenRequest, meta: RequestMeta): Promise<StoredAnswer> {
    if (request.reusable && !caller.scopes.includes('tokens:write'))
      throw new Problem('insufficient_scope', {
        detail: 'A token that can be used again needs the scope tokens:write.',
        errors: [{ pointer: '/reusable', code: 'not_granted', message: 'must be false' }],
      });
    const ownership = ownerOf(caller, request);
    if (!ownership.ok) throw new Problem(ownership.refusal);
    const at = new Date();
    this.requireGoodCard(request, at);
    const answer = await this.requests.runOnce(
      { meta, principal: caller, body: request },
      newId('tok'),
      async (tx, tokenId, current) => {
        const row = this.rowOf(tokenId, request, ownership.owner, current, at);
        const [inserted] = await Promise.all([insertToken(tx, row), this.outbox.publishFirst(tx, [createdEvent(row)])]);
        if (!inserted) throw new Error('invariant: a fresh token id was taken');
        return {
          status: 201,
          body: tokenView(row, request.card.holderName ?? null, at),
          headers: { etag: entityTag(row.version), location: `/tokens/${tokenId}` },
        };
      },
    );
    if (answer.status === 201 && request.card.cvc !== undefined) await this.rememberCvc(answer, request.card.cvc);
    return answer;
  }

  /** Also after a replay: the process that answered first may have died, and its memory with it. */
  private async rememberCvc(answer: StoredAnswer, cvc: string): Promise<void> {
    const { tokenId } = createdSchema.parse(JSON.parse(answer.bodyText));
    if (answer.replayed) {
      const row = await findToken(this.database, tokenId);
      // A reusable token may have been forwarded since; after an authorization a CVC must not be kept.
      if (row === undefined || row.reusable || statusOf(row, new Date()) !== 'ACTIVE') return;
    }
    this.cvcMemory.remember(tokenId, cvc);
  }

  private requireGoodCard({ card }: CreateTokenRequest, at: Date): void {
    const testCard = testCardOf(card.number) !== undefined;
    if (!cardExpired({ ...card, testCard }, at, this.config.DEMO_MODE)) return;
    throw new Problem('validation_failed', {
      errors: [{ pointer: '/card/expYear', code: 'card_expired', message: 'the card has expired' }],
    });
  }

  private rowOf(
    tokenId: string,
    { card, reusable, metadata, expiresInSeconds }: CreateTokenRequest,
    owner: Owner,
    current: DataKey,
    at: Date,
  ): TokenRow {
    const lifetimeSeconds = expiresInSeconds ?? (reusable ? undefined : this.config.SINGLE_USE_TOKEN_LIFETIME_SECONDS);
    return {
      ...newTokenRow(tokenId, card, owner, current, this.config.VAULT_FINGERPRINT_KEY, at),
      reusable,
      metadata: metadata ?? {},
      expiresAt: lifetimeSeconds === undefined ? null : new Date(at.getTime() + lifetimeSeconds * 1000),
    };
  }
}

/** A token that may be used for ever, with its card sealed. */
export const newTokenRow = (
  tokenId: string,
  card: CreateTokenRequest['card'],
  owner: Owner,
  { key, version: keyVersion }: DataKey,
  fingerprintKey: Buffer,
  at: Date,
): TokenRow => {
  const context = { ...owner, tokenId, keyVersion };
  return {
    ...context,
    version: 1,
    brand: brandOf(card.number),
    bin: card.number.slice(0, 6),
    last4: card.number.slice(-4),
    expMonth: card.expMonth,
    expYear: card.expYear,
    fingerprint: hmacHex(fingerprintKey, card.number),
    testCard: testCardOf(card.number) !== undefined,
    reusable: true,
    sealedNumber: sealText(key, card.number, { ...context, field: 'number' }),
    sealedHolder:
      card.holderName === undefined ? null : sealText(key, card.holderName, { ...context, field: 'holderName' }),
    metadata: {},
    createdAt: at,
    expiresAt: null,
    usedByPayment: null,
    usedAt: null,
    deletedAt: null,
    cardErased: false,
  };
};

/** The key of the vault's events: the merchant, else the user, else the token. */
export const eventKeyOf = ({ merchantId, userId, tokenId }: Owner & { readonly tokenId: string }): string =>
  merchantId ?? userId ?? tokenId;

export const createdEvent = (row: TokenRow): OutgoingEvent => ({
  definition: TOKEN_EVENTS.created,
  aggregateId: row.tokenId,
  merchantId: row.merchantId,
  key: eventKeyOf(row),
  payload: {
    tokenId: row.tokenId,
    merchantId: row.merchantId,
    userId: row.userId,
    brand: row.brand,
    last4: row.last4,
    fingerprint: row.fingerprint,
    reusable: row.reusable,
  },
  occurredAt: row.createdAt,
});
