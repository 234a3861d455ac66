import type { TokenResponse } from '@payflow/contracts';
import type { Sql } from '@payflow/postgres';

import { unsealText } from '../crypto/card-seal.js';
import { statusOf } from '../domain/token.js';
import type { TokenRow } from '../store/tokens.js';
import type { KeyRing } from './key-ring.js';

/** What anyone but an acquirer may know of a token. */
export const tokenView = (row: TokenRow, holderName: string | null, at: Date): TokenResponse => ({
  tokenId: row.tokenId,
  status: statusOf(row, at),
  brand: row.brand,
  last4: row.last4,
  bin: row.bin,
  expMonth: row.expMonth,
  expYear: row.expYear,
  fingerprint: row.fingerprint,
  holderName,
  reusable: row.reusable,
  merchantId: row.merchantId,
  userId: row.userId,
  metadata: { ...row.metadata },
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
});

/** The holder's name of a row, unsealed. The number stays sealed. */
export const holderNameOf = async (sql: Sql, keyRing: KeyRing, row: TokenRow): Promise<string | null> =>
  row.sealedHolder === null
    ? null
    : unsealText(await keyRing.key(sql, row.keyVersion), row.sealedHolder, { ...row, field: 'holderName' });
