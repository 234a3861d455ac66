import { Injectable } from '@nestjs/common';
import { type Principal, type TokenResponse, tokenIdSchema, type TokenUsability } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { sees, sightOf } from '../domain/ownership.js';
import { unusableReason } from '../domain/token.js';
import { findToken, listTokens, type TokenRow } from '../store/tokens.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { KeyRing } from './key-ring.js';
import { holderNameOf, tokenView } from './token-view.js';

export interface TokenWithVersion {
  readonly token: TokenResponse;
  readonly version: number;
}

@Injectable()
export class ReadTokens {
  constructor(
    private readonly database: Database,
    private readonly keyRing: KeyRing,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  /** @throws Problem token_not_found, also for another's token */
  async one(caller: Principal, tokenId: string): Promise<TokenWithVersion> {
    const row = await findToken(this.database, tokenId);
    if (row === undefined || !sees(sightOf(caller), row)) throw new Problem('token_not_found');
    return { token: await this.view(row, new Date()), version: row.version };
  }

  /** The caller's own, newest first, without the deleted ones. */
  async page(
    caller: Principal,
    query: { readonly limit: number; readonly cursor?: string | undefined; readonly userId?: string | undefined },
  ): Promise<{ readonly data: TokenResponse[]; readonly nextCursor: string | null }> {
    if (query.cursor !== undefined && !tokenIdSchema.safeParse(query.cursor).success) throw unknownCursor();
    const rows = await listTokens(this.database, sightOf(caller), query.userId, query.cursor, query.limit + 1);
    const page = rows.slice(0, query.limit);
    const at = new Date();
    const data = await Promise.all(page.map(async (row) => await this.view(row, at)));
    return { data, nextCursor: rows.length > query.limit ? (page.at(-1)?.tokenId ?? null) : null };
  }

  /** Whether a payment of this merchant, and of this user where it names one, may use the token now. */
  async usability(tokenId: string, merchantId: string, userId: string | null): Promise<TokenUsability> {
    const row = await findToken(this.database, tokenId);
    if (row === undefined) return { usable: false, reason: 'unknown' };
    const at = new Date();
    const use = { merchantId, userId, paymentId: null, at, demoMode: this.config.DEMO_MODE };
    const reason = unusableReason(row, use);
    return reason === undefined ? { usable: true, token: await this.view(row, at) } : { usable: false, reason };
  }

  private async view(row: TokenRow, at: Date): Promise<TokenResponse> {
    return tokenView(row, await holderNameOf(this.database, this.keyRing, row), at);
  }
}

const unknownCursor = (): Problem =>
  new Problem('validation_failed', {
    errors: [{ pointer: '?cursor', code: 'invalid_format', message: 'is not a cursor of this list' }],
  });
