import { Injectable } from '@nestjs/common';
import { type Principal, TOKEN_EVENTS } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { entityTag, Problem, type RequestMeta, requireVersion, type StoredAnswer } from '@payflow/service';

import { sees, sightOf } from '../domain/ownership.js';
import { eraseToken, lockToken, type TokenRow } from '../store/tokens.js';
import { eventKeyOf } from './create-token.js';
import { CvcMemory } from './cvc-memory.js';
import { tokenView } from './token-view.js';
import { VaultRequests } from './vault-requests.js';

/** DELETE /tokens/{id}: the card is erased; what may be shown stays, for the history of payments. Again: no-op. */
@Injectable()
export class DeleteToken {
  constructor(
    private readonly requests: VaultRequests,
    private readonly outbox: Outbox,
    private readonly cvcMemory: CvcMemory,
  ) {}

  /** @throws Problem token_not_found | precondition_failed */
  async run(caller: Principal, tokenId: string, meta: RequestMeta): Promise<StoredAnswer> {
    const answer = await this.requests.runOnce({ meta, principal: caller, body: null }, tokenId, async (tx) => {
      const row = await lockToken(tx, tokenId);
      if (row === undefined || !sees(sightOf(caller), row)) throw new Problem('token_not_found');
      const at = new Date();
      if (row.deletedAt !== null) return answerOf(row, at);
      requireVersion(meta.ifMatch, row.version);
      await eraseToken(tx, tokenId, at);
      const { merchantId, userId } = row;
      await this.outbox.publish(tx, [
        {
          definition: TOKEN_EVENTS.deleted,
          aggregateId: tokenId,
          merchantId,
          key: eventKeyOf(row),
          payload: { tokenId, merchantId, userId },
          occurredAt: at,
        },
      ]);
      return answerOf({ ...row, version: row.version + 1, deletedAt: at }, at);
    });
    if (answer.status === 200) this.cvcMemory.forget(tokenId);
    return answer;
  }
}

const answerOf = (row: TokenRow, at: Date) => ({
  status: 200,
  body: tokenView(row, null, at),
  headers: { etag: entityTag(row.version) },
});
