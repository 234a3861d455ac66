import { Injectable } from '@nestjs/common';
import type { Principal, UpdateTokenRequest } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';
import {
  type Answer,
  entityTag,
  InjectConfig,
  Problem,
  type RequestMeta,
  requireVersion,
  type StoredAnswer,
} from '@payflow/service';

import { sealText } from '../crypto/card-seal.js';
import { sees, sightOf } from '../domain/ownership.js';
import { cardExpired, statusOf } from '../domain/token.js';
import { lockToken, type TokenRow, updateToken } from '../store/tokens.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { KeyRing } from './key-ring.js';
import { holderNameOf, tokenView } from './token-view.js';
import { VaultRequests } from './vault-requests.js';

/** PATCH /tokens/{id}: what a renewed card changes (the number stays), and the merchant's own data. */
@Injectable()
export class UpdateToken {
  constructor(
    private readonly requests: VaultRequests,
    private readonly keyRing: KeyRing,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  /** @throws Problem token_not_found | precondition_failed | token_unusable (used, expired, deleted) | validation_failed (expired) */
  async run(caller: Principal, tokenId: string, request: UpdateTokenRequest, meta: RequestMeta): Promise<StoredAnswer> {
    return await this.requests.runOnce({ meta, principal: caller, body: request }, tokenId, async (tx) => {
      const row = await lockToken(tx, tokenId);
      if (row === undefined || !sees(sightOf(caller), row)) throw new Problem('token_not_found');
      requireVersion(meta.ifMatch, row.version);
      const status = statusOf(row, new Date());
      if (status !== 'ACTIVE') throw new Problem('token_unusable', { extensions: { reason: status.toLowerCase() } });
      return await this.update(tx, row, request);
    });
  }

  private async update(tx: Tx, row: TokenRow, request: UpdateTokenRequest): Promise<Answer> {
    const at = new Date();
    const next: TokenRow = {
      ...row,
      version: row.version + 1,
      expMonth: request.expMonth ?? row.expMonth,
      expYear: request.expYear ?? row.expYear,
      metadata: request.metadata ?? row.metadata,
      sealedHolder: await this.sealedHolder(tx, row, request.holderName),
    };
    if (request.expMonth !== undefined || request.expYear !== undefined) this.requireGoodCard(next, at);
    await updateToken(tx, next);
    return {
      status: 200,
      body: tokenView(next, await holderNameOf(tx, this.keyRing, next), at),
      headers: { etag: entityTag(next.version) },
    };
  }

  /** Under the key the row is sealed under: a rotation that is running takes both fields along. */
  private async sealedHolder(tx: Tx, row: TokenRow, holderName: string | undefined): Promise<Buffer | null> {
    if (holderName === undefined) return row.sealedHolder;
    return sealText(await this.keyRing.key(tx, row.keyVersion), holderName, { ...row, field: 'holderName' });
  }

  private requireGoodCard(token: TokenRow, at: Date): void {
    if (!cardExpired(token, at, this.config.DEMO_MODE)) return;
    throw new Problem('validation_failed', {
      errors: [{ pointer: '/expYear', code: 'card_expired', message: 'the card has expired' }],
    });
  }
}
