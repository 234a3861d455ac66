import type { Role, Scope } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

export interface OauthClient {
  readonly id: string;
  readonly secretHash: Buffer;
  readonly merchantId: string | null;
  readonly kind: 'client' | 'service';
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
}

/** A client that may ask for tokens: not disabled, and its merchant not blocked. */
export const findActiveClient = async (sql: Sql, id: string): Promise<OauthClient | undefined> =>
  (
    await sql.query<OauthClient>(
      `SELECT client.id, client.secret_hash AS "secretHash", client.merchant_id AS "merchantId", client.kind,
              client.roles, client.scopes
         FROM oauth_clients client LEFT JOIN merchants merchant ON merchant.id = client.merchant_id
        WHERE client.id = $1 AND client.disabled_at IS NULL AND merchant.status IS DISTINCT FROM 'BLOCKED'`,
      [id],
    )
  )[0];

export const insertClient = async (tx: Tx, client: OauthClient & { readonly createdAt: Date }): Promise<void> => {
  await tx.execute(
    `INSERT INTO oauth_clients (id, secret_hash, merchant_id, kind, roles, scopes, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [client.id, client.secretHash, client.merchantId, client.kind, client.roles, client.scopes, client.createdAt],
  );
};

/** Makes a configured client what the configuration says. @returns whether anything changed */
export const upsertClient = async (tx: Tx, client: OauthClient): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO oauth_clients (id, secret_hash, merchant_id, kind, roles, scopes)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (id) DO UPDATE
        SET secret_hash = excluded.secret_hash, roles = excluded.roles, scopes = excluded.scopes
      WHERE (oauth_clients.secret_hash, oauth_clients.roles, oauth_clients.scopes)
            IS DISTINCT FROM (excluded.secret_hash, excluded.roles, excluded.scopes)`,
    [client.id, client.secretHash, client.merchantId, client.kind, client.roles, client.scopes],
  )) === 1;
