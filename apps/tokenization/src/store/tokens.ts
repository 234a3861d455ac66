import type { Sql, Tx } from '@payflow/postgres';

import type { Owner, Sight } from '../domain/ownership.js';
import type { TokenLife } from '../domain/token.js';

/** A row of `tokens`. */
export interface TokenRow extends TokenLife, Owner {
  readonly tokenId: string;
  /** For ETag and If-Match. */
  readonly version: number;
  readonly brand: string;
  readonly bin: string;
  readonly last4: string;
  readonly fingerprint: string;
  readonly keyVersion: number;
  readonly sealedNumber: Buffer | null;
  readonly sealedHolder: Buffer | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly usedAt: Date | null;
}

/** The cards of one row, sealed anew. */
export interface Resealed {
  readonly tokenId: string;
  readonly sealedNumber: Buffer;
  readonly sealedHolder: Buffer | null;
}

const COLUMNS = `
  token_id AS "tokenId", version, merchant_id AS "merchantId", user_id AS "userId", brand, bin, last4,
  exp_month AS "expMonth", exp_year AS "expYear", fingerprint, test_card AS "testCard", reusable,
  key_version AS "keyVersion", sealed_number AS "sealedNumber", sealed_holder AS "sealedHolder", metadata,
  created_at AS "createdAt", expires_at AS "expiresAt", used_by_payment AS "usedByPayment", used_at AS "usedAt",
  deleted_at AS "deletedAt", sealed_number IS NULL AS "cardErased"`;

/** @returns false when the id is taken */
export const insertToken = async (tx: Tx, token: TokenRow): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO tokens (token_id, merchant_id, user_id, brand, bin, last4, exp_month, exp_year, fingerprint, test_card,
       reusable, key_version, sealed_number, sealed_holder, metadata, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
     ON CONFLICT DO NOTHING`,
    [
      token.tokenId,
      token.merchantId,
      token.userId,
      token.brand,
      token.bin,
      token.last4,
      token.expMonth,
      token.expYear,
      token.fingerprint,
      token.testCard,
      token.reusable,
      token.keyVersion,
      token.sealedNumber,
      token.sealedHolder,
      JSON.stringify(token.metadata),
      token.createdAt,
      token.expiresAt,
    ],
  )) === 1;

export const findToken = async (sql: Sql, tokenId: string): Promise<TokenRow | undefined> => {
  const [row] = await sql.query<TokenRow>(`SELECT ${COLUMNS} FROM tokens WHERE token_id = $1`, [tokenId]);
  return row;
};

export const lockToken = async (tx: Tx, tokenId: string): Promise<TokenRow | undefined> => {
  const [row] = await tx.query<TokenRow>(`SELECT ${COLUMNS} FROM tokens WHERE token_id = $1 FOR UPDATE`, [tokenId]);
  return row;
};

/** The token when it can be used only once, locked; undefined for a reusable one. */
export const lockSingleUseToken = async (tx: Tx, tokenId: string): Promise<TokenRow | undefined> => {
  const [row] = await tx.query<TokenRow>(
    `SELECT ${COLUMNS} FROM tokens WHERE token_id = $1 AND NOT reusable FOR UPDATE`,
    [tokenId],
  );
  return row;
};

/** Newest first, without the deleted ones. */
export const listTokens = async (
  sql: Sql,
  sight: Sight,
  userId: string | undefined,
  before: string | undefined,
  limit: number,
): Promise<TokenRow[]> =>
  await sql.query<TokenRow>(
    `SELECT ${COLUMNS} FROM tokens
     WHERE deleted_at IS NULL
       AND ($1::text IS NULL OR merchant_id = $1)
       AND ($2::text IS NULL OR user_id = $2)
       AND ($3::text IS NULL OR user_id = $3)
       AND ($4::text IS NULL OR token_id < $4)
     ORDER BY token_id DESC
     LIMIT $5`,
    [
      'merchantId' in sight ? sight.merchantId : null,
      'userId' in sight ? sight.userId : null,
      userId ?? null,
      before ?? null,
      limit,
    ],
  );

export const updateToken = async (
  tx: Tx,
  token: Pick<TokenRow, 'tokenId' | 'expMonth' | 'expYear' | 'sealedHolder' | 'metadata'>,
): Promise<void> => {
  await tx.execute(
    `UPDATE tokens SET exp_month = $2, exp_year = $3, sealed_holder = $4, metadata = $5, version = version + 1
     WHERE token_id = $1`,
    [token.tokenId, token.expMonth, token.expYear, token.sealedHolder, JSON.stringify(token.metadata)],
  );
};

/** The card is gone for good; what may be shown of it stays. */
export const eraseToken = async (tx: Tx, tokenId: string, at: Date): Promise<void> => {
  await tx.execute(
    `UPDATE tokens SET deleted_at = $2, sealed_number = NULL, sealed_holder = NULL, version = version + 1
     WHERE token_id = $1`,
    [tokenId, at],
  );
};

/**
 * Erases cards of tokens that were used up, or whose life ended, before this time. Rows in use are left for the next time.
 *
 * @returns how many
 */
export const eraseSpentCards = async (sql: Sql, before: Date, limit: number): Promise<number> =>
  await sql.execute(
    `UPDATE tokens SET sealed_number = NULL, sealed_holder = NULL, version = version + 1
     WHERE token_id IN (
       SELECT token_id FROM tokens
       WHERE sealed_number IS NOT NULL AND LEAST(used_at, expires_at) < $1
       ORDER BY LEAST(used_at, expires_at) LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [before, limit],
  );

/** Nothing for a reusable token, or one that has been used. */
export const markUsed = async (tx: Tx, tokenId: string, paymentId: string, at: Date): Promise<void> => {
  await tx.execute(
    `UPDATE tokens SET used_by_payment = $2, used_at = $3, version = version + 1
     WHERE token_id = $1 AND NOT reusable AND used_by_payment IS NULL`,
    [tokenId, paymentId, at],
  );
};

/** Hands a token to another merchant: only the demo token, whose owner is made anew with the demo data. */
export const rebindToken = async (
  tx: Tx,
  token: Pick<TokenRow, 'tokenId' | 'merchantId' | 'keyVersion' | 'sealedNumber' | 'sealedHolder'>,
): Promise<void> => {
  await tx.execute(
    `UPDATE tokens SET merchant_id = $2, key_version = $3, sealed_number = $4, sealed_holder = $5, deleted_at = NULL,
       version = version + 1
     WHERE token_id = $1`,
    [token.tokenId, token.merchantId, token.keyVersion, token.sealedNumber, token.sealedHolder],
  );
};

/** The next tokens, in order of their ids, that are sealed under a key older than this; locked. */
export const tokensUnderOlderKeys = async (
  tx: Tx,
  toVersion: number,
  after: string,
  limit: number,
): Promise<TokenRow[]> =>
  await tx.query<TokenRow>(
    `SELECT ${COLUMNS} FROM tokens
     WHERE key_version < $1 AND sealed_number IS NOT NULL AND token_id > $2
     ORDER BY token_id LIMIT $3 FOR UPDATE`,
    [toVersion, after, limit],
  );

export const storeResealed = async (tx: Tx, toVersion: number, rows: readonly Resealed[]): Promise<void> => {
  await tx.execute(
    `UPDATE tokens t SET key_version = $1, sealed_number = v.sealed_number, sealed_holder = v.sealed_holder
     FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS v (token_id, sealed_number, sealed_holder)
     WHERE t.token_id = v.token_id`,
    [
      toVersion,
      rows.map(({ tokenId }) => tokenId),
      rows.map(({ sealedNumber }) => sealedNumber),
      rows.map(({ sealedHolder }) => sealedHolder),
    ],
  );
};
