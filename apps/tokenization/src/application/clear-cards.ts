import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';

import { unsealText } from '../crypto/card-seal.js';
import type { ClearCard } from '../domain/card-template.js';
import type { TokenRow } from '../store/tokens.js';
import { CvcMemory } from './cvc-memory.js';
import { KeyRing } from './key-ring.js';
import { holderNameOf } from './token-view.js';

/** The only reader of card numbers. */
@Injectable()
export class ClearCards {
  constructor(
    private readonly database: Database,
    private readonly keyRing: KeyRing,
    private readonly cvcMemory: CvcMemory,
  ) {}

  /**
   * The card of a usable token. Its number is a string of this process until it is collected as garbage: JavaScript cannot
   * erase strings, so it is kept in as few places and for as short as possible.
   *
   * @throws SealBrokenError when the row was changed behind the vault's back
   */
  async of(row: TokenRow): Promise<ClearCard> {
    if (row.sealedNumber === null) throw new Error('invariant: a usable token has its card');
    const key = await this.keyRing.key(this.database, row.keyVersion);
    return {
      number: unsealText(key, row.sealedNumber, { ...row, field: 'number' }),
      expMonth: row.expMonth,
      expYear: row.expYear,
      cvc: this.cvcMemory.recall(row.tokenId),
      holderName: (await holderNameOf(this.database, this.keyRing, row)) ?? undefined,
    };
  }

  /** After an answer: a CVC is not kept after an authorization, which may go on at another acquirer. */
  forgetCvc(tokenId: string, options: { readonly soon: boolean }): void {
    if (options.soon) this.cvcMemory.keepBriefly(tokenId);
    else this.cvcMemory.forget(tokenId);
  }
}
