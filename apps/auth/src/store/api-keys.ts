import type { Scope } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

export interface ApiKey {
  readonly id: string;
  readonly hint: string;
  readonly merchantId: string;
  /** `cli_…`: in whose name it acts. It stays when the key is rolled. */
  readonly principalId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

const COLUMNS = `id, hint, merchant_id AS "merchantId", principal_id AS "principalId", name, scopes,
  created_at AS "createdAt", expires_at AS "expiresAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;

export const insertApiKey = async (tx: Tx, key: ApiKey, secretHash: Buffer): Promise<void> => {
  await tx.execute(
    `INSERT INTO api_keys (id, secret_hash, hint, merchant_id, principal_id, name, scopes, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [key.id, secretHash, key.hint, key.merchantId, key.principalId, key.name, key.scopes, key.createdAt, key.expiresAt],
  );
};

/** All of a merchant's, the newest first. */
export const apiKeysOf = async (sql: Sql, merchantId: string): Promise<readonly ApiKey[]> =>
  await sql.query<ApiKey>(`SELECT ${COLUMNS} FROM api_keys WHERE merchant_id = $1 ORDER BY id DESC`, [merchantId]);

export const findApiKey = async (sql: Sql, merchantId: string, id: string): Promise<ApiKey | undefined> =>
  (await sql.query<ApiKey>(`SELECT ${COLUMNS} FROM api_keys WHERE merchant_id = $1 AND id = $2`, [merchantId, id]))[0];

/** Held against another change of it until the transaction ends. */
export const lockApiKey = async (tx: Tx, merchantId: string, id: string): Promise<ApiKey | undefined> =>
  (
    await tx.query<ApiKey>(`SELECT ${COLUMNS} FROM api_keys WHERE merchant_id = $1 AND id = $2 FOR NO KEY UPDATE`, [
      merchantId,
      id,
    ])
  )[0];

/** A key that works: not revoked, not expired, its merchant not blocked. */
export const findUsableApiKey = async (sql: Sql, secretHash: Buffer): Promise<ApiKey | undefined> =>
  (
    await sql.query<ApiKey>(
      `SELECT ${COLUMNS} FROM api_keys
        WHERE secret_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
          AND EXISTS (SELECT FROM merchants WHERE merchants.id = api_keys.merchant_id AND status = 'ACTIVE')`,
      [secretHash],
    )
  )[0];

export const setApiKeyExpiry = async (tx: Tx, id: string, expiresAt: Date): Promise<void> => {
  await tx.execute('UPDATE api_keys SET expires_at = $2 WHERE id = $1', [id, expiresAt]);
};

/** @returns whether it was not revoked before */
export const revokeApiKey = async (tx: Tx, id: string): Promise<boolean> =>
  (await tx.execute('UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL', [id])) === 1;

/** Those whose time is over. Of several instances, each ends others. @returns which */
export const revokeExpiredApiKeys = async (tx: Tx, limit: number): Promise<readonly string[]> =>
  (
    await tx.query<{ id: string }>(
      `UPDATE api_keys SET revoked_at = expires_at WHERE id IN (
         SELECT id FROM api_keys WHERE revoked_at IS NULL AND expires_at <= now()
          ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [limit],
    )
  ).map(({ id }) => id);

/** When keys were used, of all of them in one statement. */
export const noteUses = async (sql: Sql, uses: ReadonlyMap<string, Date>): Promise<void> => {
  await sql.execute(
    `UPDATE api_keys SET last_used_at = used.at
       FROM unnest($1::text[], $2::timestamptz[]) AS used (id, at)
      WHERE api_keys.id = used.id AND (last_used_at IS NULL OR last_used_at < used.at)`,
    [[...uses.keys()], [...uses.values()]],
  );
};
